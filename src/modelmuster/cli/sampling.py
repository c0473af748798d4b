"""What is said and done before a run that may take long: a sample instead of everything, and how long it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmuster.contracts import Executor
    from modelmuster.records import Plan


def sampled(plan: Plan, executor: Executor | None = None) -> Plan:
    """The plan, reduced on targets that are slow in software where that is what they have here; says so.

    What remains there is one architecture of each family and trait, the most used ones.
    """
    from modelmuster import catalog, plugins
    from modelmuster.catalog.priority import ranking
    from modelmuster.cli.console import err
    from modelmuster.contracts import Cluster
    from modelmuster.optional import SlowInSoftware
    from modelmuster.records import DeviceKind
    from modelmuster.runs.plan import only_cells_with
    from modelmuster.runs.probes import probe_all
    from modelmuster.selection import representatives

    names = sorted({cell.target for cell in plan.cells})
    slow = [name for name in names if isinstance(plugins.targets().get(name), SlowInSoftware)]
    if not slow:
        return plan
    found = executor.probes(slow) if isinstance(executor, Cluster) else probe_all(slow)
    imitated = {name for name in slow if found[name].device_kind is DeviceKind.SOFTWARE_EMULATED}
    known = {entry.model_type: entry for entry in catalog.load().architectures}
    planned = dict.fromkeys(cell.model_type for cell in plan.cells if cell.model_class)
    ranks = ranking()
    usual = sorted((known[name] for name in planned), key=lambda entry: ranks.place(entry.model_type))
    chosen = {entry.model_type for entry in representatives(usual)}
    for name in sorted(imitated):
        err().print(
            f"{name} is imitated by software here and slow: {len(chosen)} of {len(planned)} architectures, one of each "
            "family and trait; name architectures to run those, '*' for all",
            markup=False,
            soft_wrap=True,
        )
    kept = (cell for cell in plan.cells if cell.target not in imitated or cell.model_type in chosen)
    return only_cells_with(plan, {cell.id for cell in kept})


def say_how_long(plan: Plan, slots: int) -> None:
    """Tell how long a run on targets that are not run unasked will take, as far as that is known."""
    from modelmuster import plugins
    from modelmuster.cli.console import err
    from modelmuster.contracts import OnRequest
    from modelmuster.runs import ordering
    from modelmuster.settings import Home

    asked = [cell for cell in plan.cells if isinstance(plugins.targets().get(cell.target), OnRequest)]
    if not asked:
        return
    forecast = ordering.forecast(plan.cells, ordering.measured_durations(Home.find()), slots)
    if forecast is None:
        return
    others = len(plan.cells) - forecast.measured
    measured = f"{forecast.measured} of {len(plan.cells)} cells were measured in earlier runs"
    err().print(
        f"about {max(1, round(forecast.seconds / 60))} min: {measured}"
        f"{', the others are reckoned by what cells of their targets take' if others else ''}",
        markup=False,
        soft_wrap=True,
    )
