"""Which cells a run consists of: architectures × classes × targets × dtypes."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from modelmuster.catalog import Catalog
from modelmuster.errors import UnknownName
from modelmuster.recipes.checkpoint import Description, architecture_of, class_of
from modelmuster.records import MEASURE, Architecture, Cell, Plan, Scale
from modelmuster.timing import Measuring

Classes: TypeAlias = Literal["default", "all"] | tuple[str, ...]
"""Which classes of each architecture: the default one, all of them, or those of these names."""

NO_CLASS = ""
"""`Cell.model_class` of an architecture that has no class to build. Such a cell is planned like any other, so that it
appears in every report; the runner answers it with the reason, without a process."""


def make_plan(
    architectures: Sequence[Architecture],
    *,
    targets: Sequence[str],
    checks: Sequence[str],
    classes: Classes = "default",
    dtypes: Sequence[str] = ("float32",),
    scale: Scale = Scale.TINY,
    seed: int = 0,
    command: str = "",
) -> Plan:
    """The plan of a new run, in the order of the architectures.

    An architecture that has none of the classes asked for by name goes to `Plan.unplanned`. One that has no class at
    all gets a cell with `NO_CLASS`.

    Raises:
        UnknownName: a class that none of the architectures has.
    """
    if isinstance(classes, tuple):
        for name in classes:
            _require_class(name, architectures)
    cells: dict[str, Cell] = {}
    unplanned: dict[str, str] = {}
    for architecture in architectures:
        names = list(_class_names(architecture, classes))
        if not names:
            unplanned[architecture.model_type] = f"has none of the classes {', '.join(classes)}"
        for name in names:
            for target in targets:
                for dtype in dtypes:
                    cell = Cell(
                        model_type=architecture.model_type,
                        model_class=name,
                        family=architecture.family,
                        target=target,
                        dtype=dtype,
                        scale=scale,
                        seed=seed,
                        checks=tuple(checks),
                    )
                    cells[cell.id] = cell
    return new_plan(cells.values(), unplanned, command)


def plan_checkpoints(
    checkpoints: Sequence[Description],
    catalog: Catalog,
    *,
    targets: Sequence[str],
    checks: Sequence[str],
    class_names: Sequence[str] = (),
    dtypes: Sequence[str] = ("float32",),
    seed: int = 0,
    trust_remote_code: bool = False,
    command: str = "",
) -> Plan:
    """The plan of a run of checkpoints, each as the class that it was saved from unless others are asked for.

    Raises:
        UnknownName: a class that the checkpoint's architecture does not have.
        UsageError: nothing says which class to load a checkpoint into.
    """
    cells: dict[str, Cell] = {}
    for checkpoint in checkpoints:
        entry = architecture_of(checkpoint.model_type, checkpoint.model_class, catalog)
        for name in class_names or (class_of(checkpoint, entry),):
            if class_names and entry.module:
                _require_class(name, [entry])
            for target in targets:
                for dtype in dtypes:
                    cell = Cell(
                        model_type=checkpoint.model_type,
                        model_class=name,
                        family=entry.family,
                        target=target,
                        dtype=dtype,
                        scale=Scale.CHECKPOINT,
                        seed=seed,
                        checkpoint=checkpoint.spec,
                        trust_remote_code=trust_remote_code,
                        checks=tuple(checks),
                    )
                    cells[cell.id] = cell
    return new_plan(cells.values(), {}, command)


def measured(
    plan: Plan,
    measuring: Measuring,
    *,
    batches: Sequence[int | None] = (None,),
    sequences: Sequence[int | None] = (None,),
    attentions: Sequence[str | None] = (None,),
) -> Plan:
    """The plan with each cell measured instead of checked, once for every combination; None is the recipe's own."""
    cells = [
        msgspec.structs.replace(cell, checks=(MEASURE,), batch=batch, sequence=sequence, attention=attention)
        for cell in plan.cells
        for batch, sequence, attention in itertools.product(batches, sequences, attentions)
    ]
    return msgspec.structs.replace(plan, cells=tuple(cells), measuring=measuring)


def only_cells_with(plan: Plan, ids: Collection[str]) -> Plan:
    """The plan reduced to the cells of these ids."""
    return msgspec.structs.replace(plan, cells=tuple(cell for cell in plan.cells if cell.id in ids))


def new_run_id(now: datetime) -> str:
    """An id that sorts by time, such as `20261123-101502-417-9f3a`; the tail keeps runs of one millisecond apart."""
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}-{secrets.token_hex(2)}"


def new_plan(cells: Iterable[Cell], unplanned: dict[str, str], command: str) -> Plan:
    """The plan of a run that is to begin now."""
    now = datetime.now(UTC)
    return Plan(
        run_id=new_run_id(now),
        created_at=now.isoformat(),
        command=command,
        cells=tuple(cells),
        unplanned=unplanned,
    )


def _require_class(name: str, architectures: Sequence[Architecture]) -> None:
    known = {entry.name for architecture in architectures for entry in architecture.model_classes}
    if name not in known:
        raise UnknownName("class", name, known, see="muster catalog --json")


def _class_names(architecture: Architecture, classes: Classes) -> Iterator[str]:
    if isinstance(classes, tuple):
        yield from (entry.name for entry in architecture.model_classes if entry.name in classes)
    elif classes == "all" and architecture.model_classes:
        yield from (entry.name for entry in architecture.model_classes)
    else:
        yield architecture.default_class or NO_CLASS
