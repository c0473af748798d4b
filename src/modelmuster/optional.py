"""What a few targets offer beside `contracts.Target`: each a small protocol of its own."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Protocol, runtime_checkable


@runtime_checkable
class SlowInSoftware(Protocol):
    """A target whose cells take long where software imitates its device: optional, beside `Target`.

    There, one architecture of each family and trait is run unless architectures are named.
    """

    software_cell_s: float
    """Seconds that a cell took there, to tell how long a run will take before there are measurements of one's own."""


@runtime_checkable
class Accompanied(Protocol):
    """A target whose cells share a process that takes long to start, such as a browser: optional, beside `Target`.

    The process is with one cell at a time, and outlives none that crashed, hung or ran out of memory. The supervisor
    answers for it: its memory counts as the cell's, and it ends with the run.
    """

    companion: Connection | None
    """The way to that process, set before `open`; None where there is none, so that a session has to do without."""

    def accompany(self, cells: Connection) -> None:
        """Be that process: serve one cell after another until the connection ends."""
        ...
