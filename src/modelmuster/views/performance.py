"""Times and sizes, with how certain they are. Only what passed on real hardware, and never two scales in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelmuster.history.series import metrics_of, source_of
from modelmuster.records import MEASURE
from modelmuster.store import Reader
from modelmuster.views.narrowing import Narrowing

UNITS = ("_ms", "_s", "_bytes", "_per_s", "_joules")
"""The ends of names that tell a measurement from a number that decides."""

POINTS = 2000


@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric of one check in one column."""

    target: str
    dtype: str
    scale: str
    weights: str
    device_name: str
    n: int
    p10: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True)
class Point:
    """One measured cell."""

    model_type: str
    target: str
    dtype: str
    scale: str
    cell_id: str
    parameters: int | None
    value: float


@dataclass(frozen=True, slots=True)
class Performance:
    """One metric of one check in a run."""

    run_id: str
    check: str | None
    """None where nothing was measured."""
    metric: str
    checks: tuple[str, ...]
    """Those with measurements."""
    metrics: tuple[str, ...]
    """Those of the check."""
    distributions: tuple[Distribution, ...]
    points: tuple[Point, ...]
    """The first in the plan's order, at most `POINTS`."""

    @property
    def speed(self) -> bool:
        """Whether any of it says something about speed: tiny models do not."""
        return any(one.scale != "tiny" for one in self.distributions)


def performance(
    reader: Reader, narrowing: Narrowing, *, check: str | None = None, metric: str | None = None
) -> Performance:
    """The distribution of a metric by column, and its values by size of the model.

    Args:
        reader: an open store.
        narrowing: the run, and what to keep of it; its checks and outcomes are not looked at.
        check: which one; the first with measurements where it is not given or has none.
        metric: one of `metrics_of` the check, or a figure with a unit at its end; the first where it has none such.
    """
    checks = [
        row["check_name"]
        for row in reader.rows(
            "SELECT DISTINCT check_name FROM tallies WHERE run = $run AND outcome = 'pass' AND NOT mock "
            "ORDER BY check_name",
            run=narrowing.run.key,
        )
    ]
    chosen = check if check is not None and check in checks else preferred(checks)
    if chosen is None:
        return Performance(narrowing.run.run_id, None, metric or "", (), (), (), ())
    columns = metrics_of(chosen)
    metrics = (*columns, *([] if chosen == MEASURE else _figures(reader, narrowing.run.key, chosen)))
    if metric not in metrics:
        metric = metrics[0]
    value = metric if metric in columns else "figure_of(figures, $metric)"
    source = f"""
        SELECT *, {value} AS value FROM {source_of(chosen)}
        WHERE run = $run AND check_name = $check
            AND ($names::VARCHAR[] IS NULL OR list_contains($names, model_type))
            AND ($families::VARCHAR[] IS NULL OR list_contains($families, family))
            AND ($targets::VARCHAR[] IS NULL OR list_contains($targets, target))
            AND ({value}) IS NOT NULL
    """  # noqa: S608 - a column of a view, or a parameter
    wanted = {name: narrowing.parameters[name] for name in ("run", "names", "families", "targets")}
    wanted |= {"check": chosen} | ({} if metric in columns else {"metric": metric})
    distributions = reader.rows(
        f"""
        SELECT target, dtype, scale, weights, device_name, count(*) AS n,
            quantile_cont(value, 0.1) AS p10, median(value) AS median, quantile_cont(value, 0.9) AS p90
        FROM ({source}) GROUP BY ALL ORDER BY scale, dtype, median, target, device_name, weights
        """,  # noqa: S608 - likewise
        **wanted,
    )
    points = reader.rows(
        f"""
        SELECT model_type, target, dtype, scale, cell_id,
            CAST(json_extract(body, '$.parameters') AS BIGINT) AS parameters, value
        FROM ({source}) LEFT JOIN recipes ON recipes.hash = recipe_hash
        ORDER BY model_type, target LIMIT {POINTS}
        """,  # noqa: S608 - likewise
        **wanted,
    )
    return Performance(
        run_id=narrowing.run.run_id,
        check=chosen,
        metric=metric,
        checks=tuple(checks),
        metrics=metrics,
        distributions=tuple(Distribution(**row) for row in distributions),
        points=tuple(Point(**row) for row in points),
    )


def preferred(checks: Sequence[str]) -> str | None:
    """The check whose measurements say most; None where there is no check."""
    return next((name for name in (MEASURE, "forward") if name in checks), checks[0] if checks else None)


def _figures(reader: Reader, run: int, check: str) -> list[str]:
    """Names of figures that are measurements, of the check's first results."""
    rows = reader.rows(
        "SELECT DISTINCT unnest(json_keys(figures)) AS name "
        "FROM (SELECT figures FROM measured WHERE run = $run AND check_name = $check LIMIT 200) ORDER BY name",
        run=run,
        check=check,
    )
    return [row["name"] for row in rows if row["name"].endswith(UNITS)]
