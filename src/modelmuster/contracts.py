"""THE SPECIFICATION: what a target, a session, a check and an executor promise. Read this file first.

Data flows one way: a *subject* (a built model with its inputs) is opened by a *target*, which gives a *session*; a
*trial* is what a check sees of all this; a *check* asks one question and answers with a `Finding`. An *executor* brings
cells to processes. Nothing here imports torch: arrays cross every border as NumPy arrays, so that the same checks judge
PyTorch, ONNX Runtime, a browser and the mock runtime. What few targets offer is in optional.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from modelmuster.records import (
    Architecture,
    Cell,
    CellRecord,
    DeviceKind,
    Environment,
    Evidence,
    Family,
    Finding,
    Inference,
    Modality,
    Recipe,
    Stage,
    Trait,
)
from modelmuster.timing import Measuring

if TYPE_CHECKING:
    import numpy as np

Inputs: TypeAlias = Mapping[str, Any]
"""Arguments of one forward call by name: NumPy arrays, numbers, booleans, strings, None, or lists, dictionaries or
dataclasses of these."""


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor that a model returned.

    `array` holds the values; float types that NumPy lacks (bfloat16) are widened to float32 without loss. `dtype` is
    the type the runtime really returned, such as `bfloat16`.
    """

    array: np.ndarray
    dtype: str


Outputs: TypeAlias = Mapping[str, Output]
"""Tensors by dotted path (`logits`, `encoder.hidden_states.0`) in the model's own order; caches and None left out."""


@dataclass(frozen=True, slots=True)
class Golden:
    """What a golden pack remembers of a model."""

    outputs: Outputs
    """In float64, for the subject's inputs."""
    missing: tuple[str, ...]
    """Weights that the model wants and the pack lacks."""
    unexpected: tuple[str, ...]
    """Weights of the pack that the model has no place for."""
    versions: Mapping[str, str]
    """Distributions that the outputs were computed with."""


class Capability(StrEnum):
    """What a session allows beyond running the recipe's inputs once."""

    RESHAPE = "reshape"
    """Run inputs of other shapes than the recipe's."""
    MODULE = "module"
    """Reach the live PyTorch module: gradients, attention implementations, caches, generate, save."""


class Subject(Protocol):
    """A built model with its inputs: what a target opens."""

    @property
    def architecture(self) -> Architecture:
        """The architecture it is an instance of."""
        ...

    @property
    def recipe(self) -> Recipe:
        """How it was made."""
        ...

    @property
    def inputs(self) -> Inputs:
        """The recipe's inputs."""
        ...

    @property
    def module(self) -> Any:
        """The PyTorch module in eval mode, float32, on the CPU; never changed by whoever borrows it.

        Raises:
            ModuleUnavailable: the subject is not a PyTorch model (the mock runtime).
        """
        ...

    def reference(self, inputs: Inputs) -> Outputs:
        """Run in true float64 on the CPU: casts to float32 inside modelling code are raised too.

        Raises:
            ReferenceUnstable: two runs differ, so that no target can be judged by them.
        """
        ...

    def rounding(self, inputs: Inputs, dtype: str) -> Mapping[str, float]:
        """Root-mean-square error, by output, that arithmetic in `dtype` alone causes; independent of any target."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A subject that comes from a golden pack: optional, beside `Subject`."""

    @property
    def golden(self) -> Golden:
        """What the pack remembers."""
        ...


class Session(Protocol):
    """A model loaded by a runtime, ready to run."""

    capabilities: frozenset[Capability]

    def run(self, inputs: Inputs) -> Outputs:
        """Run one forward pass and wait for it to end.

        Raises:
            Unsupported: the runtime declares that it cannot run this.
        """
        ...

    def evidence(self) -> Evidence:
        """Where and how the runs happened, read back from the runtime; called after at least one run."""
        ...

    def close(self) -> None:
        """Release what the runtime holds."""
        ...


@runtime_checkable
class Timeable(Protocol):
    """A session that can be timed without the conversions at its border: optional, beside `Session`."""

    @property
    def from_cache(self) -> bool | None:
        """Whether the exported graph was there already; None where nothing is exported."""
        ...

    def prepared(self, inputs: Inputs) -> Callable[[], object]:
        """One forward pass, its inputs in place on the device; each call runs it and waits for its end.

        What it needs, and nothing else, is kept alive by it: neither this session nor a subject that was only exported.
        """
        ...


@dataclass(frozen=True, slots=True)
class Probe:
    """What a target found on this machine."""

    available: bool
    reason: str
    """One sentence: the device that was found, or what is missing."""
    device_name: str = ""
    device_kind: DeviceKind | None = None
    missing: tuple[str, ...] = ()
    """Packages or drivers that would make it available."""
    remedy: str = ""
    """The command to type, where there is one."""
    details: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Target(Protocol):
    """A runtime on a device. One file or package each, registered under `modelmuster.targets`."""

    name: str
    """`<runtime>:<device>`, such as `torch:cpu`; the entry point has the same name."""
    inference: Inference
    dtypes: tuple[str, ...]
    """The dtypes it may be asked for, the usual one first."""
    start_method: Literal["fork", "spawn"]
    """`spawn` when the runtime cannot live in a forked process."""
    resources: frozenset[str]
    """Devices of the machine that a cell occupies, such as `cuda`; the executor limits how many cells share one."""
    preload: tuple[str, ...]
    """Modules that the fork server imports, and only imports, so that cells start fast."""

    def probe(self) -> Probe:
        """Look what is there: cheap, no model run, never raises."""
        ...

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> Session:
        """Bring the subject to the device; call `entering` before each stage (export, compile, load).

        Raises:
            Unsupported: the runtime declares that it cannot.
            Unavailable: the device or a package is not there.
        """
        ...


@runtime_checkable
class SubjectSource(Protocol):
    """A target that brings its own subjects, so that no transformers model is built: optional, beside `Target`."""

    def subject(
        self, cell: Cell, architecture: Architecture | None, entering: Callable[[Stage], None]
    ) -> Subject | None:
        """The subject of this cell, or None to have the model built by its recipe as for any other target.

        Args:
            cell: what to open.
            architecture: the catalogue's entry for the cell's type; None where it has none.
            entering: called before each stage.
        """
        ...


@runtime_checkable
class Keeping(Protocol):
    """A target that keeps what it makes of models, such as exported graphs: optional, beside `Target`."""

    cache_dir: Path | None
    """The folder to keep it in, set before `open`; None to keep nothing."""


@runtime_checkable
class OnRequest(Protocol):
    """A target that runs only when it is asked for, since each of its cells takes long: optional, beside `Target`."""

    on_request: Literal[True]


class Trial(Protocol):
    """What a check sees: one subject opened on one target. Forward passes are shared between checks."""

    @property
    def architecture(self) -> Architecture: ...

    @property
    def recipe(self) -> Recipe: ...

    @property
    def dtype(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def inputs(self) -> Inputs:
        """The recipe's inputs; a copy, yours to change."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def module(self) -> Any:
        """The live PyTorch module; only with `Capability.MODULE`."""
        ...

    def baseline(self) -> Outputs:
        """Outputs for the recipe's inputs; computed once."""
        ...

    def run(self, inputs: Inputs) -> Outputs:
        """Outputs for other inputs; computed once per distinct content. The arrays are read-only."""
        ...

    def reference(self, inputs: Inputs | None = None) -> Outputs:
        """The float64 reference, computed once for the recipe's inputs and each time for others."""
        ...

    def rounding(self, inputs: Inputs | None = None) -> Mapping[str, float]:
        """`Subject.rounding` for this trial's dtype, computed once for the recipe's inputs."""
        ...

    @property
    def golden(self) -> Golden | None:
        """What a golden pack remembers of this model; None where it does not come from one."""
        ...

    def entering(self, stage: Stage) -> None:
        """Record that a stage begins, so that a crash in it is told from a crash elsewhere."""
        ...


@runtime_checkable
class Check(Protocol):
    """One question. One file each, registered under `modelmuster.checks`."""

    name: str
    """A slug, the same as the entry point's name."""
    question: str
    """The sentence shown to the user."""
    families: frozenset[Family] | None
    """Families it applies to; None for all."""
    traits: frozenset[Trait]
    """Traits that an architecture must have, all of them."""
    modalities: frozenset[Modality]
    """Modalities that the recipe must feed, all of them."""
    needs: frozenset[Capability]
    """What the session must allow."""

    def applies(self, trial: Trial) -> str | None:
        """The reason why the question does not fit this very model, or None when it does."""
        ...

    def run(self, trial: Trial) -> Finding:
        """Answer the question. An exception is recorded as `error`, so raise freely."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cell may use before it is stopped."""

    wall_s: float = 120.0
    cpu_s: float = 120.0
    memory_bytes: int = 6 << 30
    """Resident memory of the child and its descendants, above what it had when it started."""
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Job:
    """One cell to run, with its limits and the folder for its log."""

    run_id: str
    cell: Cell
    limits: Limits
    log_dir: str
    attempt: int = 1
    cache_dir: str = ""
    """Folder that keeps what recipes learn, such as winning input layouts; empty for none."""
    record_golden: str = ""
    """Folder of a golden pack that the subject is written to, instead of being asked questions; empty for none."""
    measuring: Measuring | None = None
    """How to measure the cell, instead of asking it questions."""
    architecture: Architecture | None = None
    """The catalogue's entry for the cell's type, so that not every child has to read the catalogue; None to read it."""


@dataclass(frozen=True, slots=True)
class FileJob:
    """Tests of one generated file on one target, to run on another machine."""

    name: str
    """Of the file, without folders."""
    text: str
    tests: tuple[str, ...]
    """Their ids below the file's: `test_forward[torch:cpu]`."""
    target: str
    limits: Limits
    """The time is that of all of them; memory is not limited, as it is not in pytest's own process."""


@dataclass(frozen=True, slots=True)
class FileRun:
    """What came of a `FileJob`."""

    worker: str
    reports: tuple[str, ...]
    """JSON of each report of pytest, as `pytest_report_to_serializable` makes it, in the order they were made."""
    ending: str
    """How the process ended, where it ended before its time; empty where it did not."""
    log: str
    """The end of what it printed."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that takes part in a run."""

    name: str
    slots: int
    """Cells that it can run side by side."""
    targets: tuple[str, ...]
    alive: bool
    silent_s: float = 0.0
    """Seconds since it was last heard of."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What an executor is doing now, for a progress display."""

    running: Mapping[str, float]
    """Cell ids with the seconds they have been running."""
    places: Mapping[str, str] = field(default_factory=dict)
    """The worker of each running cell, where cells run on more than this machine."""
    nodes: tuple[Node, ...] = ()
    """Every machine that took part so far; empty when it is this one alone."""


@runtime_checkable
class Executor(Protocol):
    """Brings cells to processes. Registered under `modelmuster.executors`.

    It places, contains and reports; it never decides what to run, and retries nothing but the loss of a worker, a
    bounded number of times.
    """

    name: str

    @property
    def slots(self) -> int:
        """How many cells run side by side; may be set before `run`."""
        ...

    @slots.setter
    def slots(self, count: int) -> None: ...

    @property
    def per_device(self) -> int:
        """How many cells share a device (`Target.resources`) at a time, 1 at first; may be set before `run`."""
        ...

    @per_device.setter
    def per_device(self, count: int) -> None: ...

    def run(self, jobs: Iterable[Job]) -> Iterator[CellRecord]:
        """Exactly one deciding record per job, in any order, whatever happens to the job's process.

        Each loss of a worker gives a record of its own, with `lost` set, before the deciding one. A job that no
        machine can take any more gets no deciding record: resuming the run does it later.

        Raises:
            InfrastructureError: no process can be started any more.
        """
        ...

    def progress(self) -> Progress: ...

    def close(self) -> None:
        """End every process it started; called on interruption too."""
        ...


@runtime_checkable
class Cluster(Protocol):
    """An executor of several machines, which answers for them where `doctor` answers for this one: optional."""

    address: str | None
    """Where the cluster is found; to be set before `connect`."""
    allow_mixed: bool
    """Whether machines with other versions of what changes results may take part."""

    def connect(self) -> None:
        """Join the cluster; does nothing when that is done.

        Raises:
            UsageError: no address, no token, or machines that differ.
            MissingDependency: the engine is not installed.
            InfrastructureError: nobody answers there.
        """
        ...

    def probes(self, names: Iterable[str]) -> dict[str, Probe]:
        """What the machines declare about these targets."""
        ...

    def environments(self) -> dict[str, Environment]:
        """Each machine with its software, by the name that begins `CellRecord.worker`."""
        ...

    def run_file(self, job: FileJob) -> FileRun:
        """Run tests of a generated file on a machine that has their target; blocks until they have ended.

        Raises:
            InfrastructureError: no machine has the target, or each worker that was given them was lost.
        """
        ...
