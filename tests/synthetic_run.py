"""A made-up but plausible run: every outcome, retries, software devices, a mock target, and hostile names and texts."""

from __future__ import annotations

import hashlib
import random

import msgspec

from modelmuster.records import (
    FINDINGS,
    Applied,
    Cell,
    CellError,
    CellRecord,
    DeviceKind,
    Environment,
    Evidence,
    Family,
    Inference,
    Measurement,
    Modality,
    Outcome,
    Package,
    Plan,
    Provenance,
    Recipe,
    Result,
    Scale,
    Stage,
    TensorSpec,
    Weights,
)
from modelmuster.settings import Home

TARGETS = ("torch:cpu", "onnxruntime:cpu", "webgpu:chromium", "mock")
HOSTILE_NAME = "<img src=x onerror=alert(1)>\"'&</script>"
HOSTILE_TEXT = "</script><script>document.title='owned'</script><b>bold</b> {{ 7*7 }}"

NAMES = (
    "albert",
    "bart",
    "bert",
    "bloom",
    "clip",
    "convnext",
    "deberta",
    "detr",
    "dinov2",
    "distilbert",
    "donut",
    "electra",
    "falcon",
    "flava",
    "funnel",
    "gemma3",
    "gpt2",
    "gptj",
    "granite",
    "hubert",
    "idefics3",
    "janus",
    "llama",
    "longformer",
    "longt5",
    "mamba2",
    "marian",
    "mistral",
    "mixtral",
    "mobilevit",
    "moshi",
    "mpnet",
    "nystromformer",
    "olmo2",
    "opt",
    "owlvit",
    "patchtst",
    "pegasus",
    "perceiver",
    "phi3",
    "pix2struct",
    "qwen2_vl",
    "qwen3_moe",
    "reformer",
    "roberta",
    "rwkv",
    "sam",
    "segformer",
    "siglip",
    "speecht5",
    "swin",
    "t5",
    "timesformer",
    "vilt",
    "vit",
    "vits",
    "wav2vec2",
    "whisper",
    "xlnet",
    "yolos",
)

OUTCOMES = (
    *[Outcome.PASS] * 56,
    *[Outcome.FAIL] * 6,
    *[Outcome.ERROR] * 8,
    *[Outcome.CRASH] * 3,
    *[Outcome.OOM] * 2,
    *[Outcome.TIMEOUT] * 3,
    *[Outcome.UNSUPPORTED] * 8,
    *[Outcome.UNAVAILABLE] * 3,
    *[Outcome.NOT_APPLICABLE] * 3,
    *[Outcome.SKIPPED] * 2,
    *[Outcome.NOT_RUN] * 3,
)

ERRORS = (
    ("RuntimeError", "The size of tensor a (8) must match the size of tensor b (16) at non-singleton dimension 1"),
    ("ValueError", "aten::_scaled_dot_product_flash_attention has no decomposition for the dtype bfloat16"),
    ("KeyError", "'image_grid_thw'"),
    ("NotImplementedError", HOSTILE_TEXT),
)

MESSAGES = {
    Outcome.PASS: "all outputs agree with the reference",
    Outcome.FAIL: "logits: the error is 41 times what float32 rounding explains",
    Outcome.CRASH: "signal 11 (SIGSEGV) while in run",
    Outcome.OOM: "6.0 GiB resident, the limit is 6.0 GiB",
    Outcome.TIMEOUT: "120 s of wall time are used up",
    Outcome.UNSUPPORTED: "the exporter says: operator aten::unfold_backward is not supported",
    Outcome.UNAVAILABLE: "no adapter: WebGPU found no device",
    Outcome.NOT_APPLICABLE: "the model has no attention mask",
    Outcome.SKIPPED: "left out by --check",
    Outcome.NOT_RUN: "the run ended before this cell was done",
}


def synthetic_run(
    count: int,
    *,
    targets: tuple[str, ...],
    dtypes: tuple[str, ...] = ("float32",),
    checks: tuple[str, ...] = ("forward", "reference"),
) -> tuple[Plan, list[CellRecord], Environment]:
    """A plan with `count` architectures on all targets, and the records of most of its cells."""
    dice = random.Random(7)
    names = [*NAMES, *(f"{dice.choice(NAMES)}_{number}" for number in range(count))][: count - 1]
    families = list(Family)
    cells = tuple(
        Cell(
            model_type=name,
            model_class="".join(part.title() for part in name.split("_")) + "Model",
            family=families[index % len(families)],
            target=target,
            dtype=dtype,
            checks=checks,
        )
        for index, name in enumerate([*names, HOSTILE_NAME])
        for target in targets
        for dtype in dtypes
    )
    plan = Plan(
        run_id="20261123-190501-4f2a",
        created_at="2026-11-23T19:05:01Z",
        command="muster run --target 'torch:*'",
        cells=cells,
        unplanned={"kosmos-9": "no class of it can be called", "weird<b>": HOSTILE_TEXT},
    )
    records = [
        record for number, cell in enumerate(cells) if number % 41 != 40 for record in _records(cell, plan.run_id, dice)
    ]
    return plan, records, _environment()


def write_folder(home: Home, plan: Plan, records: list[CellRecord], environment: Environment) -> None:
    """The run's folder, as the run itself would leave it."""
    folder = home.runs / plan.run_id
    folder.mkdir(parents=True)
    (folder / "plan.json").write_bytes(msgspec.json.encode(plan))
    (folder / "environment.json").write_bytes(msgspec.json.encode(environment))
    (folder / "journal.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(records))


def _records(cell: Cell, run_id: str, dice: random.Random) -> list[CellRecord]:
    if cell.target == "mock":
        return [_record(cell, run_id, dice, [Outcome.SKIPPED] * len(cell.checks), inference=Inference.MOCK)]
    hostile = cell.model_type == HOSTILE_NAME
    first = Outcome.ERROR if hostile else dice.choice(OUTCOMES)
    outcomes = [first, *([dice.choice(OUTCOMES[:62]) if first is Outcome.PASS else first] * (len(cell.checks) - 1))]
    made = _record(cell, run_id, dice, outcomes)
    if first in FINDINGS and dice.random() < 0.2:
        return [
            _record(cell, run_id, dice, [Outcome.CRASH] * len(outcomes), final=False),
            _record(cell, run_id, dice, [Outcome.PASS] * len(outcomes), attempt=2, flaky=True),
        ]
    return [made]


def _record(
    cell: Cell,
    run_id: str,
    dice: random.Random,
    outcomes: list[Outcome],
    *,
    inference: Inference = Inference.REAL,
    attempt: int = 1,
    final: bool = True,
    flaky: bool = False,
) -> CellRecord:
    ran = any(outcome in {Outcome.PASS, Outcome.FAIL, Outcome.TIMEOUT} for outcome in outcomes)
    device = (
        "llvmpipe (LLVM 15.0.7, 256 bits)" if cell.target.startswith("webgpu") else "AMD EPYC 7763 64-Core Processor"
    )
    kind = DeviceKind.SOFTWARE_EMULATED if cell.target.startswith("webgpu") else DeviceKind.HARDWARE
    route = "eager" if cell.target.startswith("torch") else "torch.export"
    return CellRecord(
        run_id=run_id,
        cell=cell,
        attempt=attempt,
        final=final,
        worker="local-1",
        started_at="2026-11-23T19:05:09Z",
        results=tuple(
            _result(check, outcome, dice, flaky=flaky, hostile=cell.model_type == HOSTILE_NAME)
            for check, outcome in zip(cell.checks, outcomes, strict=True)
        ),
        provenance=Provenance(
            inference=inference,
            weights=Weights.RANDOM,
            device=cell.target.rpartition(":")[2],
            evidence=Evidence(device_name=device, device_kind=kind, precision=cell.dtype, route=route)
            if ran and inference is Inference.REAL
            else None,
        ),
        measurement=Measurement(
            duration_ms=dice.uniform(40, 4000),
            cpu_ms=dice.uniform(40, 4000),
            peak_rss_bytes=dice.randrange(2**28, 2**31),
        ),
        stages_ms={
            stage.value: dice.uniform(1, 500) for stage in (Stage.BUILD, Stage.INPUTS, Stage.RUN, Stage.COMPARE)
        },
        recipe=_recipe(cell),
        log_tail="" if outcomes[0] is Outcome.PASS else _log(cell, dice),
    )


def _result(check: str, outcome: Outcome, dice: random.Random, *, flaky: bool, hostile: bool) -> Result:
    error = None
    message = MESSAGES.get(outcome, "")
    if outcome is Outcome.ERROR:
        kind, text = ERRORS[3 if hostile else dice.choice((0, 0, 1, 2, 3))]
        message = f"{kind}: {text}"
        error = CellError(
            type=kind,
            message=text,
            traceback="Traceback (most recent call last):\n"
            + "".join(
                f'  File "modeling_{kind.lower()}.py", line {line}, in forward\n    hidden = self.layer(hidden, mask)\n'
                for line in range(100, 112)
            )
            + f"{kind}: {text}",
            fingerprint=hashlib.sha256(f"{kind}{text}".encode()).hexdigest()[:16],
        )
    numbers = {
        "max_abs": dice.uniform(1e-8, 1e-5),
        "relative_rmse": dice.uniform(1e-8, 1e-6),
        "cosine": 1.0,
        "ratio": dice.uniform(0.1, 40),
        "rule": "rounding",
        "logits.max_abs": dice.uniform(1e-8, 1e-5),
    }
    return Result(
        check=check,
        outcome=outcome,
        stage=Stage.RUN if outcome is not Outcome.FAIL else Stage.COMPARE,
        message=message,
        figures=numbers if outcome in {Outcome.PASS, Outcome.FAIL} else {},
        error=error,
        measurement=Measurement(duration_ms=dice.uniform(1, 900)),
        expected="transformers 5.23 forgets the mask" if outcome is Outcome.FAIL and dice.random() < 0.3 else None,
        flaky=flaky,
    )


def _recipe(cell: Cell) -> Recipe:
    dice = random.Random(cell.model_type)
    config = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 99,
        "initializer_range": 0.06, "layer_types": ["full_attention", "sliding_attention"],
        "text_config": {"hidden_size": dice.randrange(16, 64, 4), "num_hidden_layers": 2, "pad_token_id": 0},
        "vision_config": {"image_size": 30, "patch_size": 2, "hidden_size": dice.randrange(16, 64, 4)},
    }  # fmt: skip
    return Recipe(
        model_type=cell.model_type,
        model_class=cell.model_class,
        scale=Scale.TINY,
        seed=0,
        config=config,
        inputs=(
            TensorSpec(name="input_ids", shape=(2, 9), dtype="int64"),
            TensorSpec(name="attention_mask", shape=(2, 9), dtype="int64"),
        ),
        layout="text",
        modalities=(Modality.TEXT,),
        parameters=dice.randrange(20_000, 900_000),
        applied=(
            Applied(rule="width", field="hidden_size", before=768, after=32, reason="smallest width with 4 heads"),
            Applied(rule="depth", field="num_hidden_layers", before=12, after=2, reason="two layers show both kinds"),
        ),
        versions={"torch": "2.13.0", "transformers": "5.23.0"},
        hash=hashlib.sha256(cell.model_type.encode()).hexdigest(),
    )


def _log(cell: Cell, dice: random.Random) -> str:
    name = HOSTILE_TEXT if cell.model_type == HOSTILE_NAME else cell.model_type
    return "".join(f"[{dice.randrange(10**6):06d}] {name}: step {step} of {cell.target}\n" for step in range(12))


def _environment() -> Environment:
    return Environment(
        python="3.11.2",
        platform="Linux-6.1.0-x86_64-with-glibc2.36",
        cpu="AMD EPYC 7763 64-Core Processor",
        cores=16,
        memory_bytes=64 << 30,
        packages=(
            Package(name="torch", version="2.13.0"),
            Package(name="transformers", version="5.23.0"),
            Package(name="timm", version=None),
        ),
        devices={"torch:cpu": "AMD EPYC 7763 64-Core Processor"},
        commit="afa61bc+",
        hostname="builder",
    )
