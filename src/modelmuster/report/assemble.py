"""From the records of one run to a report's data: plan LEFT JOIN records, so that nothing planned can vanish."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from modelmuster.records import (
    FINDINGS,
    Cell,
    CellRecord,
    DeviceKind,
    Environment,
    Family,
    Inference,
    Outcome,
    Plan,
    Result,
)
from modelmuster.report.model import (
    CheckSummary,
    Column,
    FailureGroup,
    FamilyGroup,
    Gap,
    Place,
    Realness,
    ReportCell,
    ReportData,
    Row,
    TargetSummary,
    tally_cells,
)
from modelmuster.selection import reproduce
from modelmuster.views.gaps import GAPS
from modelmuster.views.rates import Tally, severity, tally

_RowKey = tuple[str, str, str | None, int, str]


def assemble(
    plan: Plan,
    records: Iterable[CellRecord],
    environment: Environment | None,
    *,
    version: str,
    questions: Mapping[str, str] | None = None,
    damages: Sequence[str] = (),
) -> ReportData:
    """Everything that a report says about one run.

    Args:
        plan: What the run set out to do.
        records: Every attempt that was recorded, in the order of recording.
        environment: The machine, where it is known.
        version: Of this package.
        questions: The sentence of each check that is known here.
        damages: What of the run's folder could not be used.
    """
    attempts: dict[str, list[CellRecord]] = defaultdict(list)
    for record in records:
        attempts[record.cell.id].append(record)
    mocked = _mock_targets(attempts)
    cells = {cell.id: _cell(cell, attempts.get(cell.id, []), mock=cell.target in mocked) for cell in plan.cells}
    columns = _columns(plan.cells)
    groups = _groups(cells.values(), columns)
    rows = [row for group in groups for row in group.rows]
    real = [
        (Place(row.key, columns[index]), cell)
        for row in rows
        for index, cell in enumerate(row.cells)
        if cell is not None and not cell.mock
    ]
    everything = list(cells.values())
    answered = {cell.cell.model_type for _, cell in real if cell.outcome.decided}
    return ReportData(
        run_id=plan.run_id,
        created_at=plan.created_at,
        command=plan.command,
        version=version,
        environment=environment,
        columns=columns,
        groups=groups,
        cells=tally_cells(everything),
        results=_tally_of_results(everything),
        architectures=len({cell.model_type for cell in plan.cells} | set(plan.unplanned)),
        answered=len(answered),
        targets=tuple(_target(column, index, rows) for index, column in enumerate(columns)),
        checks=_checks(everything, questions or {}),
        failures=_failures(real),
        gaps=_gaps(real),
        realness=_realness(everything),
        unplanned=dict(plan.unplanned),
        damages=tuple(damages),
    )


def cell_outcome(results: Sequence[Result]) -> Outcome:
    """The one mark of a cell: the worst of its checks; `not_run` where it has none."""
    return max((result.outcome for result in results), key=severity, default=Outcome.NOT_RUN)


def _mock_targets(attempts: Mapping[str, Sequence[CellRecord]]) -> set[str]:
    """Targets that were seen to run nothing: their unreached cells are mock too."""
    records = (record for several in attempts.values() for record in several)
    return {record.cell.target for record in records if record.provenance.inference is Inference.MOCK}


def _cell(cell: Cell, attempts: Sequence[CellRecord], *, mock: bool) -> ReportCell:
    final = [record for record in attempts if record.final]
    decisive = final[-1] if final else None
    known = {result.check: result for result in decisive.results} if decisive else {}
    missing = _why_missing(attempts, decided=decisive is not None)
    results = tuple(
        known.get(check) or Result(check=check, outcome=Outcome.NOT_RUN, message=missing)
        for check in (cell.checks or tuple(known))
    )
    # An attempt after the deciding one cannot be; the deciding one goes last, whatever the journal's order was.
    ordered = (*(record for record in attempts if record is not decisive), *([decisive] if decisive else ()))
    return ReportCell(cell, cell_outcome(results), results, ordered, reproduce(cell), mock)


def _why_missing(attempts: Sequence[CellRecord], *, decided: bool) -> str:
    if decided:
        return "planned, but the attempt that decides does not answer it"
    if attempts:
        return "planned, but the repetition that was to decide was never reached"
    return "planned, but never reached"


def _columns(cells: Sequence[Cell]) -> tuple[Column, ...]:
    return tuple(dict.fromkeys(Column(cell.target, cell.dtype, cell.scale.value) for cell in cells))


def _groups(cells: Iterable[ReportCell], columns: Sequence[Column]) -> tuple[FamilyGroup, ...]:
    position = {column: index for index, column in enumerate(columns)}
    by_row: dict[_RowKey, list[ReportCell | None]] = {}
    family_of: dict[_RowKey, Family] = {}
    for one in cells:
        cell = one.cell
        sizes = ", ".join(f"{name} {value}" for name, value in cell.variation.items())
        key = (cell.model_type, cell.model_class, cell.checkpoint, cell.seed, sizes)
        slots = by_row.setdefault(key, [None] * len(columns))
        slots[position[Column(cell.target, cell.dtype, cell.scale.value)]] = one
        family_of[key] = cell.family
    qualifiers = _qualifiers(by_row)
    rows: dict[Family, list[Row]] = defaultdict(list)
    for key in sorted(by_row, key=lambda key: (key[0], qualifiers[key])):
        rows[family_of[key]].append(Row(key[0], qualifiers[key], tuple(by_row[key])))
    return tuple(_group(family, rows[family], len(columns)) for family in Family if rows[family])


def _group(family: Family, rows: Sequence[Row], width: int) -> FamilyGroup:
    by_column = [[cell for row in rows if (cell := row.cells[index])] for index in range(width)]
    tallies = tuple(tally_cells(cells) for cells in by_column)
    total = tally_cells([cell for cells in by_column for cell in cells])
    return FamilyGroup(family, tuple(rows), tallies, total)


def _qualifiers(keys: Iterable[_RowKey]) -> dict[_RowKey, str]:
    """What distinguishes the rows of one architecture; empty for the only row."""
    siblings: dict[str, list[_RowKey]] = defaultdict(list)
    for key in keys:
        siblings[key[0]].append(key)
    named: dict[_RowKey, str] = {}
    for rows in siblings.values():
        classes, checkpoints, seeds = ({key[part] for key in rows} for part in (1, 2, 3))
        for key in rows:
            _, model_class, checkpoint, seed, sizes = key
            parts = [model_class] if len(classes) > 1 else []
            if checkpoint is not None and len(checkpoints) > 1:
                parts.append(checkpoint)
            if len(seeds) > 1:
                parts.append(f"seed {seed}")
            if sizes:
                parts.append(sizes)
            named[key] = " ".join(parts)
    return named


def _tally_of_results(cells: Iterable[ReportCell], check: str | None = None) -> Tally:
    return tally(
        {
            "outcome": result.outcome,
            "mock": cell.mock,
            "expected": result.expected is not None,
            "flaky": result.flaky,
            "results": 1,
        }
        for cell in cells
        for result in cell.results
        if check is None or result.check == check
    )


def _target(column: Column, index: int, rows: Sequence[Row]) -> TargetSummary:
    cells = [cell for row in rows if (cell := row.cells[index])]
    evidence = [
        cell.record.provenance.evidence for cell in cells if cell.record and cell.record.provenance.evidence is not None
    ]
    devices = tuple(name for name, _ in Counter(item.device_name for item in evidence).most_common())
    emulated = any(item.device_kind is DeviceKind.SOFTWARE_EMULATED for item in evidence)
    return TargetSummary(column, tally_cells(cells), devices, emulated)


def _checks(cells: Sequence[ReportCell], questions: Mapping[str, str]) -> tuple[CheckSummary, ...]:
    names = dict.fromkeys(result.check for cell in cells for result in cell.results)
    return tuple(CheckSummary(name, questions.get(name, ""), _tally_of_results(cells, name)) for name in names)


def fingerprint(result: Result) -> str:
    """What findings with the same cause share: the error's own fingerprint, else the message without its numbers.

    A wrong answer also belongs to the check that found it; what ended the process belongs to all checks alike.
    """
    if result.error and result.error.fingerprint:
        return result.error.fingerprint
    said = re.sub(r"[0-9.e+-]*[0-9]", "#", result.error.message if result.error else result.message)
    return f"{result.check}: {said}" if result.outcome is Outcome.FAIL else said


def _failures(cells: Sequence[tuple[Place, ReportCell]]) -> tuple[FailureGroup, ...]:
    found: dict[tuple[Outcome, str], list[tuple[Place, ReportCell, Result]]] = defaultdict(list)
    for place, cell in cells:
        for result in cell.results:
            if result.outcome in FINDINGS:
                found[result.outcome, fingerprint(result)].append((place, cell, result))
    groups = [_failure(outcome, mark, members) for (outcome, mark), members in found.items()]
    return tuple(sorted(groups, key=lambda group: (group.expected, -len(group.places))))


def _failure(outcome: Outcome, mark: str, members: Sequence[tuple[Place, ReportCell, Result]]) -> FailureGroup:
    _, first_cell, first = members[0]
    return FailureGroup(
        fingerprint=mark,
        outcome=outcome,
        title=first.error.type if first.error else "",
        message=first.message or (first.error.message if first.error else ""),
        checks=tuple(dict.fromkeys(result.check for _, _, result in members)),
        stages=tuple(dict.fromkeys(result.stage.value for _, _, result in members if result.stage)),
        places=tuple(dict.fromkeys(place for place, _, _ in members)),
        expected=all(result.expected is not None for _, _, result in members),
        reproduce=first_cell.reproduce,
    )


def _gaps(cells: Sequence[tuple[Place, ReportCell]]) -> tuple[Gap, ...]:
    found: dict[tuple[Outcome, str], list[tuple[Place, str]]] = defaultdict(list)
    for place, cell in cells:
        for result in cell.results:
            if result.outcome in GAPS:
                found[result.outcome, result.message].append((place, result.check))
    gaps = [
        Gap(
            outcome=outcome,
            reason=reason,
            checks=tuple(dict.fromkeys(check for _, check in members)),
            targets=tuple(dict.fromkeys(place.column.target for place, _ in members)),
            results=len(members),
            places=tuple(dict.fromkeys(place for place, _ in members)),
        )
        for (outcome, reason), members in found.items()
    ]
    return tuple(sorted(gaps, key=lambda gap: (GAPS.index(gap.outcome), -gap.results)))


def _realness(cells: Sequence[ReportCell]) -> Realness:
    counts = {"hardware": 0, "emulated": 0, "unproven": 0, "mock": 0, "nothing": 0}
    for cell in cells:
        evidence = cell.record.provenance.evidence if cell.record else None
        if cell.mock:
            counts["mock"] += 1
        elif not cell.outcome.decided:
            counts["nothing"] += 1
        elif evidence is None:
            counts["unproven"] += 1
        else:
            counts["emulated" if cell.emulated else "hardware"] += 1
    return Realness(**counts)
