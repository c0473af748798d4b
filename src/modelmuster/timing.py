"""What is measured of a model on a target, and how: the records of `muster measure`, like those in `records`."""

from __future__ import annotations

import msgspec


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """How long a run measures each cell: until the median is known well enough, or the time is up."""

    seconds: float = 10.0
    precision: float = 0.02
    """Half the width of the median's interval, relative to it, that ends the repetitions."""
    confidence: float = 0.95
    threads: int = 1


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one model on one target. Times are of one forward pass, after the first."""

    repeats: int
    warmup: int
    """Passes that were run before, and not counted."""
    covers: str
    """What one of the timed passes consists of."""
    batch: int | None = None
    """Rows of the inputs; None where they cannot be told apart."""
    tokens: int | None = None
    """Token ids of all rows together; None for a model that takes none."""
    threads: int
    first_ms: float
    """The very first pass: what is set up late is in it."""
    median_ms: float
    low_ms: float | None = None
    """This and the next enclose the true median with the given confidence; None where the passes are too few."""
    high_ms: float | None = None
    confidence: float
    p10_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    """None where fewer passes ran than such a percentile takes."""
    throughput: dict[str, float] = {}
    """By unit: samples/s where rows can be told apart, else passes/s; tokens/s where tokens are fed."""
    export_from_cache: bool | None = None
    """Whether the stage `export` only read a file; None where nothing is exported."""
    peak_rss_bytes: int | None = None
    """Most resident memory of the process during the passes."""
    model_bytes: int | None = None
    """The same above what the process had before the model was built; the module that was only exported is let go."""
    device_bytes: int | None = None
    """Most memory that was allocated on an accelerator; None where nothing tells."""
    memory_method: str = ""
    """How memory was read, and what that does not see."""
    energy_mj: float | None = None
    """Millijoules of one pass; None where no counter tells."""
    energy_method: str = ""
    """Which counter, or why there is none."""
    deviation: float | None = None
    """How far the outputs are from eager PyTorch's in float32: root mean square, relative, of the worst output."""
    noise_floor: float
    """Spread (p90 − p10, relative to the median) of a fixed piece of work on this machine, just before."""
    others_cores: float
    """Cores that other processes kept busy meanwhile."""
    stolen: float
    """Share of the processors' time that the hypervisor gave to others meanwhile."""
    virtualised: bool | None
    """Whether clocks and caches are a virtual machine's."""
    flags: tuple[str, ...] = ()
    """Why these numbers may be noise; empty for an idle device."""
