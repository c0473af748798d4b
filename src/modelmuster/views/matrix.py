"""Architecture by target: for each pair the outcome that stands for its checks, with the counts behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from modelmuster.records import FINDINGS, DeviceKind, Family, Inference, Outcome
from modelmuster.store import Reader
from modelmuster.views.narrowing import MARKS, RESULTS, Narrowing
from modelmuster.views.rates import Tally, severity, tally
from modelmuster.views.summary import unplanned


@dataclass(frozen=True, slots=True)
class Column:
    """What is never mixed in one column: target, dtype and scale."""

    target: str
    dtype: str
    scale: str
    label: str
    """The target, with dtype and scale where these tell columns apart."""
    inference: Inference | None
    """None when no device answered: nothing ran on it."""
    device_kind: DeviceKind | None
    """Software-emulated when any result of it was; None when nothing was observed."""
    devices: tuple[str, ...]
    """Names that the runtime itself gave."""
    fallbacks: Mapping[str, int]
    """Operators that ran elsewhere (`Gather on CPU`), with how many architectures' did; the most frequent first."""
    tally: Tally


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """All results of one architecture in one column: of all its checks, and of all its classes that were planned."""

    outcome: Outcome
    """The one that stands for all."""
    counts: Mapping[Outcome, int]
    mock: bool
    expected: bool
    """Whether every finding was foreseen; False where there is none."""
    flaky: bool
    cell_id: str
    """A cell that ended in `outcome`; so are the next two."""
    check: str
    message: str

    @property
    def results(self) -> int:
        """How many results it stands for."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One architecture."""

    model_type: str
    family: Family
    cells: tuple[MatrixCell | None, ...]
    """By column; None where nothing was planned."""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to look at: all that was real passed or does not apply, mock ran as it should."""
        return all(_quiet(cell) for cell in self.cells if cell)


@dataclass(frozen=True, slots=True)
class FamilyRows:
    """The architectures of one family."""

    family: Family
    rows: tuple[MatrixRow, ...]
    tallies: tuple[Tally, ...]
    """By column."""
    total: Tally


@dataclass(frozen=True, slots=True)
class Matrix:
    """One run at a glance. Tallies count results."""

    run_id: str
    columns: tuple[Column, ...]
    families: tuple[FamilyRows, ...]
    total: Tally
    unplanned: Mapping[str, str]
    """Architectures that were selected but could not be planned, with the reason."""


_Key = tuple[str, str, str]
_Group = dict[str, Any]
_K = TypeVar("_K", bound=Hashable)


def matrix(reader: Reader, narrowing: Narrowing) -> Matrix:
    """The matrix of a run; `not_run` where something was planned and nothing recorded."""
    groups = _groups(reader, narrowing)
    keys = list(dict.fromkeys(_key(group) for group in groups))
    seen, fallbacks = _observed(reader, narrowing.run.key), _fallbacks(reader, narrowing)
    by_key = _grouped(groups, _key)
    return Matrix(
        run_id=narrowing.run.run_id,
        columns=tuple(_column(key, keys, seen.get(key), fallbacks.get(key, {}), by_key[key]) for key in keys),
        families=tuple(_families(groups, keys)),
        total=tally(groups),
        unplanned=unplanned(reader, narrowing.run.key),
    )


def _groups(reader: Reader, narrowing: Narrowing) -> list[_Group]:
    if not narrowing.checks:
        return reader.rows(
            f'SELECT *, check_name AS "check" FROM {MARKS} ORDER BY first_cell',  # noqa: S608 - a constant
            **narrowing.of_marks,
        )
    return reader.rows(
        f"""
        SELECT family, model_type, target, dtype, scale, outcome, mock,
            count(*) AS results,
            expected IS NOT NULL AS expected,
            flaky,
            arg_min(cell_id, (cell, place)) AS cell_id,
            arg_min(check_name, (cell, place)) AS "check",
            arg_min(message, (cell, place)) AS message,
            min(cell) AS first_cell
        FROM {RESULTS}
        GROUP BY ALL
        ORDER BY first_cell
        """,  # noqa: S608 - a constant
        **narrowing.parameters,
    )


def _quiet(cell: MatrixCell) -> bool:
    if cell.mock:
        return cell.outcome not in FINDINGS
    return cell.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE} and not cell.flaky


def _key(group: Mapping[str, Any]) -> _Key:
    return group["target"], group["dtype"], group["scale"]


def _observed(reader: Reader, run: int) -> dict[_Key, dict[str, Any]]:
    found = reader.rows(
        """
        SELECT target, dtype, scale,
            list_sort(list(DISTINCT device_name) FILTER (device_name IS NOT NULL)) AS devices,
            list(DISTINCT inference) FILTER (inference = 'mock' OR device_name IS NOT NULL) AS inferences,
            list(DISTINCT device_kind) FILTER (device_kind IS NOT NULL) AS kinds
        FROM cells JOIN attempts USING (run, cell) WHERE run = $run GROUP BY ALL
        """,
        run=run,
    )
    return {_key(row): row for row in found}


def _fallbacks(reader: Reader, narrowing: Narrowing) -> dict[_Key, dict[str, int]]:
    found = reader.rows(
        f"""
        SELECT target, dtype, scale, operator, count(DISTINCT model_type) AS architectures
        FROM (
            SELECT target, dtype, scale, model_type, operator_of(unnest(fallbacks)) AS operator FROM {RESULTS}
            WHERE NOT mock
        )
        GROUP BY ALL ORDER BY architectures DESC, operator
        """,  # noqa: S608 - a constant
        **narrowing.parameters,
    )
    by_column: dict[_Key, dict[str, int]] = defaultdict(dict)
    for row in found:
        by_column[_key(row)][row["operator"]] = row["architectures"]
    return by_column


def _column(
    key: _Key, keys: list[_Key], seen: Mapping[str, Any] | None, fallbacks: Mapping[str, int], groups: list[_Group]
) -> Column:
    target, dtype, scale = key
    siblings = [other for other in keys if other[0] == target]
    parts = [target]
    if len({other[1] for other in siblings}) > 1 or dtype != "float32":
        parts.append(dtype)
    if len({other[2] for other in keys}) > 1:
        parts.append(scale)
    inferences = (seen["inferences"] or []) if seen else []
    kinds = (seen["kinds"] or []) if seen else []
    emulated = DeviceKind.SOFTWARE_EMULATED
    return Column(
        target=target,
        dtype=dtype,
        scale=scale,
        label=" ".join(parts),
        inference=(Inference.MOCK if Inference.MOCK in inferences else Inference.REAL) if inferences else None,
        device_kind=(emulated if emulated in kinds else DeviceKind.HARDWARE) if kinds else None,
        devices=tuple((seen["devices"] or ()) if seen else ()),
        fallbacks=fallbacks,
        tally=tally(groups),
    )


def _families(groups: list[_Group], keys: list[_Key]) -> Iterator[FamilyRows]:
    by_family = _grouped(groups, lambda group: group["family"])
    for family in Family:
        members = by_family.get(family, [])
        if members:
            by_key = _grouped(members, _key)
            yield FamilyRows(
                family=family,
                rows=tuple(_rows(family, members, keys)),
                tallies=tuple(tally(by_key.get(key, ())) for key in keys),
                total=tally(members),
            )


def _rows(family: Family, members: list[_Group], keys: list[_Key]) -> Iterator[MatrixRow]:
    by_name = _grouped(members, lambda group: group["model_type"])
    for model_type in sorted(by_name):
        by_key = _grouped(by_name[model_type], _key)
        yield MatrixRow(model_type, family, tuple(_cell(by_key[key]) if key in by_key else None for key in keys))


def _cell(groups: list[_Group]) -> MatrixCell:
    counts: dict[str, int] = defaultdict(int)
    for group in groups:
        counts[group["outcome"]] += group["results"]
    worst = max(groups, key=_group_severity) if len(groups) > 1 else groups[0]
    return MatrixCell(
        outcome=Outcome(worst["outcome"]),
        counts={Outcome(outcome): count for outcome, count in counts.items()},
        mock=any(group["mock"] for group in groups),
        expected=worst["outcome"] in FINDINGS
        and all(group["expected"] for group in groups if group["outcome"] in FINDINGS),
        flaky=any(group["flaky"] for group in groups),
        cell_id=worst["cell_id"],
        check=worst["check"],
        message=worst["message"],
    )


def _group_severity(group: _Group) -> int:
    return severity(group["outcome"])


def _grouped(groups: Iterable[_Group], key: Callable[[_Group], _K]) -> dict[_K, list[_Group]]:
    found: dict[_K, list[_Group]] = defaultdict(list)
    for group in groups:
        found[key(group)].append(group)
    return dict(found)
