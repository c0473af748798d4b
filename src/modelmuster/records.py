"""The nouns: immutable records that travel between the layers, into the journal and out of the store.

Every record is a frozen `msgspec.Struct`: typed, fast to encode as JSON, validated when it is decoded. Nothing here
computes, imports torch, or knows where a record is stored. Units are in the names (`_ms`, `_bytes`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from modelmuster.timing import Measuring, Timing

RECORD_FORMAT = 1
"""Version of the record format written to journals; raised when a reader of the old format would be misled."""


class Outcome(StrEnum):
    """What became of one check of one cell."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    """A property or a number is wrong."""
    ERROR = "error"
    """An exception."""
    CRASH = "crash"
    """The process died: a signal, or an exit it did not choose to report."""
    OOM = "oom"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"
    """The runtime itself says that it cannot."""
    UNAVAILABLE = "unavailable"
    """No such hardware or dependency here."""
    NOT_APPLICABLE = "not_applicable"
    """The check does not fit this architecture; the reason is in the message."""
    SKIPPED = "skipped"
    """Left out by selection; the reason is in the message."""
    NOT_RUN = "not_run"
    """Planned, but never reached."""

    @property
    def decided(self) -> bool:
        """Whether this outcome answers the check's question, and so enters a rate."""
        return self in DECIDED

    @property
    def letter(self) -> str:
        """The one-letter mark used in matrices."""
        return LETTERS[self]


DECIDED = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.CRASH, Outcome.OOM, Outcome.TIMEOUT})
"""The denominator of a pass rate."""

FINDINGS = DECIDED - {Outcome.PASS}
"""Outcomes that make a run exit with 1 unless they are expected."""

LETTERS = {
    Outcome.PASS: "O",
    Outcome.FAIL: "X",
    Outcome.ERROR: "E",
    Outcome.CRASH: "C",
    Outcome.OOM: "M",
    Outcome.TIMEOUT: "T",
    Outcome.UNSUPPORTED: "U",
    Outcome.UNAVAILABLE: "-",
    Outcome.NOT_APPLICABLE: "n",
    Outcome.SKIPPED: "S",
    Outcome.NOT_RUN: ".",
}


HELD = "mock_held"
"""The figure that marks a property which held of a mock function. Its outcome is `not_run`, since no model ran, and the
figure tells it from a check that was never reached. See design/0005."""


MEASURE = "measure"
"""The check of a cell that is measured: it passes where the model ran to the end, and its row holds a `Timing`."""


class Stage(StrEnum):
    """Where a cell was when it stopped; written before the stage begins."""

    BUILD = "build"
    INPUTS = "inputs"
    REFERENCE = "reference"
    EXPORT = "export"
    COMPILE = "compile"
    LOAD = "load"
    RUN = "run"
    COMPARE = "compare"


class Family(StrEnum):
    """What the tests of an architecture must know about it."""

    ENCODER_ONLY = "encoder-only"
    DECODER_ONLY = "decoder-only"
    ENCODER_DECODER = "encoder-decoder"
    VISION = "vision"
    VIDEO = "video"
    AUDIO = "audio"
    VISION_TEXT = "vision-text"
    AUDIO_TEXT = "audio-text"
    ANY_TO_ANY = "any-to-any"
    TIME_SERIES = "time-series"
    OTHER = "other"


class Trait(StrEnum):
    """A property of an architecture that cuts across families."""

    MIXTURE_OF_EXPERTS = "mixture-of-experts"
    STATE_SPACE = "state-space"
    SLIDING_WINDOW = "sliding-window"
    ENCODER_DECODER = "encoder-decoder"
    TWO_TOWER = "two-tower"
    GENERATIVE = "generative"


class Modality(StrEnum):
    """A kind of data that a model takes in."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TIME_SERIES = "time-series"
    LAYOUT = "layout"
    TABULAR = "tabular"
    """States, actions, rewards, coordinates: numbers that are none of the others."""
    EMBEDDING = "embedding"
    """Hidden states of another model, for parts of an architecture."""


class Scale(StrEnum):
    """How large a recipe builds its model; scales are never mixed in one comparison."""

    TINY = "tiny"
    DEFAULT = "default"
    CHECKPOINT = "checkpoint"


class Inference(StrEnum):
    """Whether a model really ran."""

    REAL = "real"
    MOCK = "mock"

    @property
    def mark(self) -> str:
        """The mark shown beside the word, never instead of it."""
        return "🚀" if self is Inference.REAL else "🔷"

    @property
    def label(self) -> str:
        """Mark and word, as every terminal, report and document shows them."""
        return f"{self.mark} {self.value}"


def inference_label(inference: Inference, observed: bool) -> str:
    """Mark and word of what ran; 🚀 needs a device that the runtime itself named."""
    if inference is Inference.MOCK or observed:
        return inference.label
    return "nothing ran"


class Weights(StrEnum):
    """Where the weights came from."""

    RANDOM = "random"
    CHECKPOINT = "checkpoint"


class DeviceKind(StrEnum):
    """Whether the device is what its name says or software that imitates it."""

    HARDWARE = "hardware"
    SOFTWARE_EMULATED = "software-emulated"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all records: immutable, keyword-only, encodable as JSON."""


class ModelClass(Record, frozen=True, kw_only=True):
    """One class of an architecture that can be built and called."""

    name: str
    tasks: tuple[str, ...] = ()
    """Names of the auto-mappings that list it, such as `CAUSAL_LM`; empty for a class found by scanning its module."""


class Architecture(Record, frozen=True, kw_only=True):
    """One transformers `model_type`."""

    model_type: str
    config_class: str
    module: str
    """The package that holds it, such as `transformers.models.bert`."""
    family: Family
    top_level: bool
    """False when its config is a sub-config of another config of the same package."""
    part_of: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()
    modalities: tuple[Modality, ...] = ()
    """Every kind of input that the default class can take in."""
    model_classes: tuple[ModelClass, ...] = ()
    default_class: str | None = None
    """The most telling class; None where there is none, with the reason in `note`."""
    requires: tuple[str, ...] = ()
    """Distributions beyond torch that it needs to be built, such as `timm`."""
    note: str | None = None
    """Why it cannot be built as it stands, where that is known."""


class TensorSpec(Record, frozen=True, kw_only=True):
    """Name, shape and dtype of one input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class Applied(Record, frozen=True, kw_only=True):
    """One thing that a rule, an override or a repair did to a recipe."""

    rule: str
    field: str
    before: Any = None
    after: Any = None
    reason: str = ""


class Recipe(Record, frozen=True, kw_only=True):
    """How one model and its inputs are made: deterministic, and identified by its hash."""

    model_type: str
    model_class: str
    scale: Scale
    seed: int
    config: dict[str, Any]
    """The keyword arguments that the config class is called with; sub-configs nested, JSON values only."""
    inputs: tuple[TensorSpec, ...]
    layout: str
    """Name of the input layout, such as `text` or `image-text:nchw`."""
    modalities: tuple[Modality, ...]
    """The modalities that the inputs feed, all in the same forward pass."""
    apart: dict[Modality, str] = {}
    """Modalities of the architecture that the model itself refuses in one call with the others, with the reason."""
    parameters: int
    applied: tuple[Applied, ...] = ()
    versions: dict[str, str] = {}
    """The distributions whose version changes what is built: torch, transformers, timm."""
    weights_hash: str = ""
    """SHA-256, in hex, of a checkpoint's weight files; empty where the weights are drawn from the seed."""
    hash: str = ""
    """SHA-256, in hex, over everything that determines the model and its inputs."""


class GoldenPack(Record, frozen=True, kw_only=True):
    """A golden pack on this machine."""

    path: str
    digest: str
    """SHA-256 of its list of hashes: the same pack has the same digest wherever it lies."""


class Cell(Record, frozen=True, kw_only=True):
    """Architecture × class × target × dtype × scale: the unit of isolation, one child process."""

    model_type: str
    model_class: str
    family: Family
    target: str
    dtype: str = "float32"
    scale: Scale = Scale.TINY
    seed: int = 0
    checkpoint: str | None = None
    """A folder by its full path, or the name of a repository of the hub."""
    trust_remote_code: bool = False
    """Whether Python code that comes with the checkpoint may run."""
    golden: GoldenPack | None = None
    """The pack that weights and inputs come from, instead of a recipe's own."""
    checks: tuple[str, ...] = ()
    """Names of the checks to run in it, in order; one result each."""
    batch: int | None = None
    """Rows of the inputs, where they are not the recipe's own."""
    sequence: int | None = None
    """Tokens of each row, likewise."""
    attention: str | None = None
    """The attention implementation, where it is not the model's own choice."""

    @property
    def id(self) -> str:
        """Identity within a plan; readable, and unique whatever its parts hold."""
        parts = [self.model_type, self.model_class, self.target, self.dtype, self.scale.value, str(self.seed)]
        if self.checkpoint is not None:
            parts.append(self.checkpoint)
        if self.trust_remote_code:
            parts.append("its own code")
        if self.golden is not None:
            parts.append(f"golden:{self.golden.digest[:12]}")
        parts += [f"{name}:{value}" for name, value in self.variation.items()]
        return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)

    @property
    def variation(self) -> dict[str, int | str]:
        """What it asks for that is not the recipe's own."""
        asked = {"batch": self.batch, "sequence": self.sequence, "attention": self.attention}
        return {name: value for name, value in asked.items() if value is not None}


class Finding(Record, frozen=True, kw_only=True):
    """A check's answer."""

    outcome: Outcome
    message: str = ""
    figures: dict[str, float | int | str | bool | None] = {}
    """Every number behind the verdict, by name."""


class CellError(Record, frozen=True, kw_only=True):
    """An exception of a child process, as data."""

    type: str
    message: str
    traceback: str = ""
    fingerprint: str = ""
    """Equal for errors with the same cause: type, message without digits and addresses, and place."""


class Evidence(Record, frozen=True, kw_only=True):
    """What a session read back from its runtime after it ran."""

    device_name: str
    device_kind: DeviceKind
    precision: str
    """The arithmetic that the runtime reports, such as `float32` or `bfloat16`."""
    route: str = "eager"
    """How the model reached the runtime: eager, torch.compile, or the exporter that worked."""
    nodes_total: int | None = None
    nodes_on_target: int | None = None
    fallbacks: tuple[str, ...] = ()
    """Operators that ran elsewhere, each with its number of nodes where that is known: `Gather on CPU ×3`."""
    counts: dict[str, int] = {}
    """What was counted at the device's own interfaces, independently of what the runtime says of itself."""


class Provenance(Record, frozen=True, kw_only=True):
    """Set by the runner from what it observed, never by a check."""

    inference: Inference
    weights: Weights
    device: str
    """The device asked for, such as `cpu`."""
    evidence: Evidence | None = None
    """None when the cell stopped before anything ran."""

    @property
    def label(self) -> str:
        """What a reader is shown: mock inference as such, real inference only where a runtime answered for it."""
        return inference_label(self.inference, self.evidence is not None)


class Measurement(Record, frozen=True, kw_only=True):
    """What a result cost. The peak is the child's resident set over the whole cell, with the fork server's share."""

    duration_ms: float | None = None
    cpu_ms: float | None = None
    peak_rss_bytes: int | None = None


class Result(Record, frozen=True, kw_only=True):
    """One check of one cell: a row."""

    check: str
    outcome: Outcome
    stage: Stage | None = None
    message: str = ""
    figures: dict[str, float | int | str | bool | None] = {}
    error: CellError | None = None
    measurement: Measurement = Measurement()
    timing: Timing | None = None
    """Of the check `measure` alone."""
    expected: str | None = None
    """The reason, when an entry in expectations foresaw this outcome."""
    flaky: bool = False
    """Set when a repetition alone gave another outcome."""

    @property
    def held(self) -> bool:
        """Whether the property held of a mock function; never true of a result of real inference."""
        return self.outcome is Outcome.NOT_RUN and self.figures.get(HELD) is True

    @property
    def mock_word(self) -> str:
        """What a result of mock inference is called: `held`, or its outcome."""
        return "held" if self.held else self.outcome.value


class CellRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="cell"):
    """Everything that one attempt at one cell produced: one line of the journal."""

    format: int = RECORD_FORMAT
    run_id: str
    cell: Cell
    attempt: int
    final: bool
    """False when the cell will be run again alone; the last attempt decides."""
    worker: str
    started_at: str
    """UTC, ISO 8601."""
    results: tuple[Result, ...]
    provenance: Provenance
    measurement: Measurement
    stages_ms: dict[str, float] = {}
    recipe: Recipe | None = None
    log_tail: str = ""
    """The end of the child's stdout and stderr."""
    lost: bool = False
    """True when the worker, not the cell, was lost: the only kind of attempt that is retried automatically."""


class Package(Record, frozen=True, kw_only=True):
    """An installed distribution, or one that is missed."""

    name: str
    version: str | None


class Environment(Record, frozen=True, kw_only=True):
    """The machine and software that a run used."""

    python: str
    platform: str
    cpu: str
    cores: int
    memory_bytes: int
    packages: tuple[Package, ...]
    devices: dict[str, str] = {}
    """Name of each available target's device."""
    commit: str | None = None
    """The git commit of the current folder, if it is a repository; `+` marks local changes."""
    hostname: str = ""


class Plan(Record, frozen=True, kw_only=True):
    """What a run set out to do."""

    format: int = RECORD_FORMAT
    run_id: str
    created_at: str
    command: str
    """The command line that made it."""
    cells: tuple[Cell, ...]
    unplanned: dict[str, str] = {}
    """Architectures that were selected but cannot be planned, with the reason."""
    measuring: Measuring | None = None
    """Set for a run that measures instead of checking."""
