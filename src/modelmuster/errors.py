"""The exceptions, all of them.

MusterError                      everything that this package raises on purpose
├── UsageError                   the user can mend it: exit code 2
│   ├── UnknownName              an architecture, family, target or check that does not exist
│   ├── StoreTooNew              a database that a newer version wrote
│   └── RunInProgress            another run is writing in this folder
├── NothingSelected              the selection matched nothing: exit code 5
├── InfrastructureError          a process, disk or lock failed: exit code 3
│   └── JournalDamaged           a line of a journal that is no record
├── MissingDependency            a package that an operation needs
└── CellFailure                  raised inside a cell, becomes an outcome there
    ├── CannotBuild              no config or model could be made
    ├── NoInputs                 no input layout made the model run
    ├── CannotReshape            the model takes no inputs of that size, or does not compute in that way
    ├── ExportFailed             no exporter could convert the model
    ├── Unsupported              the runtime says that it cannot
    ├── Unavailable              no such device or package here
    │   └── TooLarge             the model does not fit in the memory of this machine
    ├── Crashed                  what runs the model outside the cell's own process died
    ├── Misplaced                the work ran elsewhere than on the device that was asked for
    ├── ModuleUnavailable        a check wants the PyTorch module of something that is none
    └── ReferenceUnstable        two float64 runs differ

A message says what happened and why; `hint` says what to type next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MusterError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(MusterError):
    """Something that the user can mend."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that does not exist, with the nearest ones that do."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, see: str) -> None:
        near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
        meant = f"did you mean: {', '.join(near)}\n  " if near else ""
        super().__init__(f"unknown {kind} {name!r}", hint=f"{meant}see: {see}")
        self.kind, self.name, self.near = kind, name, tuple(near)


class StoreTooNew(UsageError):
    """A database that a newer version of this package wrote."""


class RunInProgress(UsageError):
    """Another run is writing in this folder."""


class NothingSelected(MusterError):
    """The selection matched nothing."""

    exit_code = 5


class InfrastructureError(MusterError):
    """A process, a disk or a lock failed; no model is to blame."""


class JournalDamaged(InfrastructureError):
    """A line of a journal that is no record."""


class MissingDependency(MusterError):
    """A package that an operation needs is not installed."""

    exit_code = 2

    def __init__(self, package: str, *, purpose: str, extra: str | None = None) -> None:
        install = f"pip install 'modelmuster[{extra}]'" if extra else f"pip install {package}"
        super().__init__(f"{purpose} needs the package {package}, which is not installed", hint=f"type: {install}")
        self.package, self.extra = package, extra


class CellFailure(MusterError):
    """Raised inside a cell; becomes an outcome there, and a finding of a command that builds without a cell."""

    exit_code = 1


class CannotBuild(CellFailure):
    """No config or model could be made."""


class NoInputs(CellFailure):
    """No input layout made the model run."""


class CannotReshape(CellFailure):
    """The model takes no inputs of that size, or does not compute in that way: a question that does not fit it."""


class ExportFailed(CellFailure):
    """No exporter could convert the model for a runtime."""


class Unsupported(CellFailure):
    """The runtime says that it cannot."""


class Unavailable(CellFailure):
    """No such device or package here."""


class TooLarge(Unavailable):
    """The model does not fit in the memory of this machine: no fault of its own."""


class Crashed(CellFailure):
    """What runs the model outside the cell's own process has died: a page of a browser, its GPU device."""


class Misplaced(CellFailure):
    """The work ran elsewhere than on the device that was asked for, so that its result is not the device's."""


class ModuleUnavailable(CellFailure):
    """A check wants the PyTorch module of something that is none."""


class ReferenceUnstable(CellFailure):
    """Two float64 runs of the same inputs differ."""
