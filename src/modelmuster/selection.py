"""One selection language for the command line, the pytest plug-in, the dashboard and the gate.

A selection is made of terms, each `key:value` or a bare architecture glob; `!` in front of a term excludes. Terms with
the same key widen, different keys narrow: `family:vision family:video target:torch:* !bert*`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from modelmuster.errors import UnknownName, UsageError
from modelmuster.records import MEASURE, Architecture, Cell, Family, Scale, Trait

_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which architectures, and which part of their cells."""

    names: tuple[str, ...] = ()
    """Globs over `model_type`; empty for all."""
    without: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    traits: tuple[Trait, ...] = ()
    parts: bool = False
    """Parts of other architectures too; a part named without a glob is always taken."""
    limit: int | None = None
    shard: tuple[int, int] | None = None
    """Index, from 1, and count."""

    def with_terms(self, terms: Iterable[str]) -> Selection:
        """This selection narrowed by `key:value` terms and bare globs.

        Raises:
            UsageError: a term that cannot be read.
        """
        chosen = self
        for term in terms:
            excluded, body = term.startswith("!"), term.removeprefix("!")
            key, _, value = body.partition(":")
            match key, value, excluded:
                case _, "", False:
                    chosen = replace(chosen, names=(*chosen.names, body))
                case ("type", _, True) | (_, "", True):
                    chosen = replace(chosen, without=(*chosen.without, value or body))
                case "type", _, False:
                    chosen = replace(chosen, names=(*chosen.names, value))
                case "family", _, False:
                    chosen = replace(chosen, families=(*chosen.families, family(value)))
                case "trait", _, False:
                    chosen = replace(chosen, traits=(*chosen.traits, trait(value)))
                case _:
                    raise UsageError(
                        f"cannot read the selection term {term!r}",
                        hint="terms are: NAME, type:NAME, family:FAMILY, trait:TRAIT, !NAME",
                    )
        return chosen

    def architectures(self, catalog: Sequence[Architecture]) -> list[Architecture]:
        """The architectures of the catalogue that it picks, in the catalogue's order.

        Raises:
            UnknownName: a name without a glob that the catalogue lacks.
        """
        known = {entry.model_type for entry in catalog}
        exact = {name for name in self.names if not _is_glob(name)}
        for name in sorted(exact - known):
            raise UnknownName("architecture", name, known, see="muster catalog")
        picked = [entry for entry in catalog if self._takes(entry, exact)]
        if self.shard:
            index, count = self.shard
            picked = picked[index - 1 :: count]
        return picked[: self.limit]

    def _takes(self, entry: Architecture, exact: set[str]) -> bool:
        name = entry.model_type
        if self.names and not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.names):
            return False
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.without):
            return False
        if not entry.top_level and not self.parts and name not in exact:
            return False
        if self.families and entry.family not in self.families:
            return False
        return all(wanted in entry.traits for wanted in self.traits)


def representatives(architectures: Iterable[Architecture]) -> list[Architecture]:
    """The first architecture of each family with each of its traits, and of each family without any."""
    seen: set[tuple[Family, Trait | None]] = set()
    chosen = []
    for entry in architectures:
        kinds: set[tuple[Family, Trait | None]] = {(entry.family, trait) for trait in entry.traits or (None,)}
        if not kinds <= seen:
            seen |= kinds
            chosen.append(entry)
    return chosen


def family(name: str) -> Family:
    """The family of that name.

    Raises:
        UnknownName: there is none.
    """
    try:
        return Family(name)
    except ValueError:
        raise UnknownName(
            "family", name, [member.value for member in Family], see="muster catalog --families"
        ) from None


def trait(name: str) -> Trait:
    """The trait of that name.

    Raises:
        UnknownName: there is none.
    """
    try:
        return Trait(name)
    except ValueError:
        raise UnknownName("trait", name, [member.value for member in Trait], see="muster catalog --families") from None


def shard(text: str) -> tuple[int, int]:
    """`3/16` as (3, 16).

    Raises:
        UsageError: not of that form, or out of range.
    """
    found = _SHARD.fullmatch(text)
    if found:
        index, count = int(found[1]), int(found[2])
        if 1 <= index <= count:
            return index, count
    raise UsageError(
        f"cannot read the shard {text!r}", hint="a shard is INDEX/COUNT with 1 ≤ INDEX ≤ COUNT, such as 3/16"
    )


def match_names(kind: str, patterns: Iterable[str], known: Sequence[str], *, see: str) -> list[str]:
    """The known names that match any of the globs, in the order of `known`.

    Raises:
        UnknownName: a pattern that matches nothing.
    """
    wanted: set[str] = set()
    for pattern in patterns:
        found = [name for name in known if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            raise UnknownName(kind, pattern, known, see=see)
        wanted.update(found)
    return [name for name in known if name in wanted]


def reproduce(cell: Cell, check: str | None = None) -> str:
    """The command line that runs this cell again."""
    import shlex

    measured = MEASURE in {check, *cell.checks} or bool(cell.variation)
    words = ["muster", MEASURE if measured else "run"]
    words += ["--checkpoint", cell.checkpoint] if cell.checkpoint else [cell.model_type]
    if cell.trust_remote_code:
        words.append("--trust-remote-code")
    if cell.model_class:
        words += ["--class", cell.model_class]
    words += ["--target", cell.target]
    if cell.dtype != "float32":
        words += ["--dtype", cell.dtype]
    if cell.scale is not (Scale.DEFAULT if measured else Scale.TINY) and not cell.checkpoint:
        words += ["--scale", cell.scale.value]
    if cell.seed:
        words += ["--seed", str(cell.seed)]
    if cell.golden is not None:
        words += ["--golden", cell.golden.path]
    for name, value in cell.variation.items():
        words += [f"--{name}", str(value)]
    if check and not measured:
        words += ["--check", check]
    return shlex.join(words)


def _is_glob(name: str) -> bool:
    return any(mark in name for mark in "*?[")
