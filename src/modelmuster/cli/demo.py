"""`muster demo`: architectures that people know, of every family, on every runtime found; then matrix and report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modelmuster.records import Architecture, Cell

KNOWN = (
    *("bert", "distilbert", "roberta", "deberta-v2", "electra", "modernbert"),
    *("llama", "gpt2", "qwen3", "mistral", "gemma2", "mixtral", "phi3", "mamba", "opt", "bloom", "falcon"),
    *("t5", "bart", "pegasus", "marian", "mbart"),
    *("vit", "resnet", "swin", "convnext", "detr", "segformer", "dinov2", "beit"),
    *("vivit", "videomae", "timesformer", "vjepa2"),
    *("whisper", "wav2vec2", "hubert", "clap", "encodec"),
    *("clip", "llava", "blip", "siglip", "qwen2_vl"),
    *("qwen2_audio", "musicgen", "speecht5"),
    *("patchtst", "time_series_transformer", "informer"),
    *("layoutlm", "decision_transformer"),
)
"""What the demonstration prefers; families that lack members here are filled up from the catalogue."""

AT_LEAST_PER_FAMILY = 2

CHECKS = (
    "forward",
    "reference",
    "determinism",
    "batch_invariance",
    "padding",
    "causality",
    "bidirectional",
    "cache",
    "generate_greedy",
    "save_load",
)
"""What the demonstration asks: a few telling questions of each kind, so that it ends within three minutes."""


def demo(
    *,
    output: Annotated[Path, typer.Option("--output", help="Where the report goes.")] = Path("report.html"),
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Cells at a time.", min=1)] = None,
) -> None:
    """Sweep known architectures of every family on every runtime found; print the matrix, write the report."""
    from modelmuster import catalog
    from modelmuster.cli import run
    from modelmuster.cli.matrix import matrix
    from modelmuster.cli.report import report
    from modelmuster.cli.selecting import Choice, chosen_targets
    from modelmuster.runs import plan as plans
    from modelmuster.runs.engines import engine

    plan = plans.make_plan(
        pick(catalog.load().architectures),
        targets=chosen_targets(Choice()),
        checks=CHECKS,
        command="muster demo",
    )
    plan = plans.only_cells_with(plan, {cell.id for cell in _shown(plan.cells)})
    summary = run.carry_out(plan, engine(jobs=jobs))
    run.say(plan, summary)
    matrix()
    report(output=output)


def _shown(cells: Sequence[Cell]) -> Iterator[Cell]:
    """All cells of PyTorch itself; of runtimes that need an export first, which takes seconds, one for each family."""
    seen: set[tuple[str, str]] = set()
    for cell in cells:
        place = (cell.family.value, cell.target)
        if cell.target.startswith("torch:") or place not in seen:
            seen.add(place)
            yield cell


def pick(architectures: Sequence[Architecture]) -> list[Architecture]:
    """The known architectures that the catalogue has, and enough others that no family is missing."""
    by_name = {entry.model_type: entry for entry in architectures}
    chosen = [by_name[name] for name in KNOWN if name in by_name]
    for family in sorted({entry.family for entry in architectures if entry.top_level}):
        have = [entry for entry in chosen if entry.family == family]
        others = [
            entry
            for entry in architectures
            if entry.top_level and entry.family == family and entry not in have and not entry.requires
        ]
        chosen.extend(others[: max(0, AT_LEAST_PER_FAMILY - len(have))])
    return chosen
