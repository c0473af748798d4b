"""The matrix as a page with choices: which part of which run, in the one selection language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modelmuster.errors import UsageError
from modelmuster.pages.blocks import Choice
from modelmuster.records import DECIDED, Architecture, Family, Outcome
from modelmuster.selection import Selection
from modelmuster.store import Reader
from modelmuster.views.matrix import Matrix, MatrixRow
from modelmuster.views.matrix import matrix as view
from modelmuster.views.narrowing import narrow

HIDE = (("", "all rows"), ("green", "rows with something to look at"), ("decided", "rows without an answer"))


@dataclass(frozen=True, slots=True)
class Grid:
    """A matrix with what was chosen of it."""

    matrix: Matrix
    rows: Mapping[Family, tuple[MatrixRow, ...]]
    """By family, those that are shown."""
    choices: tuple[Choice, ...]
    planned: int
    """Rows of the run before anything was hidden."""

    @property
    def shown(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.rows.values()))


def grid(reader: Reader, asked: Mapping[str, str]) -> Grid:
    """The part of a matrix that an address asks for.

    Raises:
        UnknownName: a run, architecture, target or check that does not exist.
        UsageError: a term that cannot be read.
    """
    run = asked.get("run") or "latest"
    every = narrow(reader, run=run)
    members = reader.rows(
        "SELECT DISTINCT model_type, family FROM cells WHERE run = $run ORDER BY model_type", run=every.run.key
    )
    names = _chosen(asked.get("q", ""), members)
    targets = [name for name in asked.get("target", "").split(",") if name]
    checks = [name for name in (asked.get("check", ""),) if name]
    families = [name for name in asked.get("family", "").split(",") if name]
    narrowed = narrow(reader, run=run, targets=targets, checks=checks, families=families)
    found = view(reader, narrowed)
    hide, outcome = asked.get("hide", ""), asked.get("outcome", "")
    rows = {
        group.family: tuple(row for row in group.rows if row.model_type in names and _shown(row, hide, outcome))
        for group in found.families
    }
    return Grid(
        matrix=found,
        rows={family: kept for family, kept in rows.items() if kept},
        choices=tuple(_choices(reader, every.run.key, asked, members)),
        planned=len(members),
    )


def _chosen(text: str, members: list[dict[str, str]]) -> set[str]:
    terms = text.split()
    if any(term.removeprefix("!").startswith("trait:") for term in terms):
        raise UsageError(
            "a run does not keep the traits of architectures",
            hint="for these: muster catalog list --trait …; here: NAME, type:NAME, family:FAMILY, !NAME",
        )
    known = [
        Architecture(
            model_type=row["model_type"], config_class="", module="", family=Family(row["family"]), top_level=True
        )
        for row in members
    ]
    return {entry.model_type for entry in Selection(parts=True).with_terms(terms).architectures(known)}


def _shown(row: MatrixRow, hide: str, outcome: str) -> bool:
    cells = [cell for cell in row.cells if cell]
    if hide == "green" and row.quiet:
        return False
    if hide == "decided" and any(cell.outcome in DECIDED and not cell.mock for cell in cells):
        return False
    return not outcome or any(cell.outcome == outcome and not cell.mock for cell in cells)


def _choices(reader: Reader, run: int, asked: Mapping[str, str], members: list[dict[str, str]]) -> Iterator[Choice]:
    targets = reader.rows("SELECT DISTINCT target FROM cells WHERE run = $run ORDER BY target", run=run)
    checks = reader.rows("SELECT DISTINCT check_name FROM tallies WHERE run = $run ORDER BY check_name", run=run)
    families = [family for family in Family if any(row["family"] == family for row in members)]
    yield Choice("q", "Architectures", value=asked.get("q", ""), hint="bert qwen* family:vision !*_text")
    yield _choice("family", "Family", [family.value for family in families], asked)
    yield _choice("target", "Target", [row["target"] for row in targets], asked)
    yield _choice("check", "Check", [row["check_name"] for row in checks], asked)
    yield _choice("outcome", "With outcome", [outcome.value for outcome in Outcome], asked)
    yield Choice("hide", "Show", HIDE, asked.get("hide", ""))


def _choice(name: str, label: str, options: list[str], asked: Mapping[str, str]) -> Choice:
    return Choice(name, label, (("", "all"), *((option, option) for option in options)), asked.get(name, ""))
