"""One entry of an expectations file, and whether it speaks of a result."""

from __future__ import annotations

import fnmatch
import shlex

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from modelmuster.records import FINDINGS, Cell, Outcome, Result, Scale

PLACEHOLDER = "TODO"
"""What `muster expect update` writes for a reason that nobody gave; such an entry is refused until it is replaced."""

LEAST_WORDS = 4
"""A reason is a sentence."""


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A known non-pass: where it happens, what happens, and why."""

    architecture: str
    """A model type or a glob."""
    check: str
    """A check or a glob."""
    outcome: Outcome
    reason: str
    class_: str | None = msgspec.field(default=None, name="class")
    """The only class it speaks of; None for every class."""
    target: str = "*"
    dtype: str = "float32"
    scale: Scale = Scale.TINY
    transformers: str = ""
    """The versions it holds for, as a specifier such as `>=5.23,<6`; empty for all."""
    link: str = ""
    """Where it was reported upstream."""

    def __post_init__(self) -> None:
        if self.outcome not in FINDINGS:
            raise ValueError(
                f"the outcome {self.outcome.value!r} needs no expectation: give one of {', '.join(sorted(FINDINGS))}"
            )
        if self.reason.lstrip().startswith(PLACEHOLDER) or len(self.reason.split()) < LEAST_WORDS:
            raise ValueError("`reason` must be a sentence that says why this is known and not ours to mend")
        try:
            SpecifierSet(self.transformers)
        except InvalidSpecifier as error:
            raise ValueError(f"`transformers` is no version specifier: {self.transformers!r}") from error

    @property
    def shown(self) -> str:
        """The reason with its link, as results carry it."""
        return f"{self.reason} ({self.link})" if self.link else self.reason

    @property
    def key(self) -> tuple[str | None, ...]:
        """What tells it from other entries."""
        return (self.architecture, self.class_, self.target, self.dtype, self.scale.value, self.check)

    def in_force(self, version: str | None) -> bool:
        """Whether it holds for that version of transformers; None where there is none."""
        if not self.transformers:
            return True
        try:
            return version is not None and SpecifierSet(self.transformers).contains(version, prereleases=True)
        except InvalidVersion:
            return False

    def covers(self, cell: Cell, check: str) -> bool:
        """Whether it speaks of that check of that cell."""
        return (
            fnmatch.fnmatchcase(cell.model_type, self.architecture)
            and fnmatch.fnmatchcase(check, self.check)
            and fnmatch.fnmatchcase(cell.target, self.target)
            and self.class_ in {None, cell.model_class}
            and self.dtype == cell.dtype
            and self.scale is cell.scale
        )

    def foresees(self, result: Result) -> bool:
        """Whether a result that it covers is what it expects."""
        return result.outcome is self.outcome

    def removal(self) -> str:
        """The command that takes it out."""
        words = ["muster", "expect", "remove", self.architecture, "--check", self.check]
        words += ["--class", self.class_] if self.class_ else []
        words += ["--target", self.target] if self.target != "*" else []
        words += ["--dtype", self.dtype] if self.dtype != "float32" else []
        words += ["--scale", self.scale.value] if self.scale is not Scale.TINY else []
        return shlex.join(words)
