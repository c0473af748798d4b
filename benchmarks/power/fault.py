"""Faults as data: `[[fault]]` tables with the edits that make them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "faults"


class Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change of one function."""

    at: str
    """`Class.method` or a function of the architecture's modelling module, or `module:function` of any other."""
    old: str
    new: str
    times: int = 1
    """How often `old` occurs; any other number means that the library has changed, and is an error."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slip as it might reach a release."""

    name: str
    kind: str
    """The class of slips that it stands for."""
    architecture: str
    model_class: str = ""
    """The class to build; the architecture's default if empty."""
    edits: tuple[Edit, ...]
    seen_by: str = "property"
    """`property` where some property of a right model is broken; `golden` where the wrong model is consistent with
    itself, so that only remembered outputs tell."""
    note: str = ""
    list: str = ""
    """The list that it stands in: its file, without the ending."""

    def __post_init__(self) -> None:
        if self.seen_by not in {"property", "golden"}:
            raise ValueError(f"seen_by is property or golden, not {self.seen_by!r}")

    @property
    def target(self) -> str:
        """The name of the target that runs it."""
        return f"fault:{self.name}"


def load(folder: Path = FOLDER) -> tuple[Fault, ...]:
    """Every fault, by file and place; names are unique."""
    found: dict[str, Fault] = {}
    for path in sorted(folder.glob("*.toml")):
        for table in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]:
            edits = table.pop("edits", None) or [{name: table.pop(name) for name in ("at", "old", "new")}]
            edits[0] |= {"times": table.pop("times")} if "times" in table else {}
            fault = msgspec.convert(table | {"edits": edits, "list": path.stem}, Fault)
            assert fault.name not in found, f"{path}: a second fault {fault.name}"
            found[fault.name] = fault
    return tuple(found.values())
