"""Coverage, what was real, and packages: what became of the plan of a run, and why."""

from __future__ import annotations

from collections.abc import Iterable

from modelmuster.pages.blocks import (
    Block,
    Code,
    Entry,
    Facts,
    Heading,
    Link,
    Mark,
    Page,
    Piece,
    Table,
    Tile,
    Tiles,
    heads,
    note,
    spread,
)
from modelmuster.pages.words import COUNTED, REAL, counted, number, of_model, percent, real
from modelmuster.store import Reader
from modelmuster.views.dependencies import dependencies as dependencies_view
from modelmuster.views.gaps import Coverage
from modelmuster.views.gaps import coverage as coverage_view
from modelmuster.views.realness import honesty as honesty_view
from modelmuster.views.words import FORMULAS, WORDS


def coverage(reader: Reader, run: str = "latest") -> Page:
    """What was decided of the plan, and why the rest was not."""
    found = coverage_view(reader, run)
    gaps = tuple(
        (
            (Mark(gap.outcome), " ", Mark(gap.outcome).word),
            gap.reason or "no reason was recorded",
            number(gap.results),
            spread(map(Code, gap.targets)),
            spread(map(Code, gap.checks), 6),
            _named(found.run_id, gap.architectures),
        )
        for gap in found.gaps
    )
    by_place = tuple(
        (family.value, Code(target), *counted(tally))
        for family, targets in found.families.items()
        for target, tally in sorted(targets.items())
    )
    return Page(
        name="coverage",
        title="Coverage",
        question="What was decided of the plan, and what is missing and why?",
        run_id=found.run_id,
        blocks=(
            Tiles(
                (
                    Tile(
                        "Coverage",
                        percent(found.total.coverage),
                        f"{number(found.total.decided)} of {number(found.total.planned)} planned",
                    ),
                    Tile(
                        "Architectures that gave an answer", number(found.answered), f"of {number(found.architectures)}"
                    ),
                )
            ),
            Heading("By priority"),
            note(
                f"High and medium are the {number(len(found.ranking.high))} most used architectures and the next "
                f"{number(len(found.ranking.medium))}: {found.ranking.source}, {found.ranking.date}."
            ),
            Table(
                "priorities",
                heads("priority", "#architectures with an answer", *COUNTED, "without, the most used first"),
                tuple(
                    (
                        priority.value,
                        f"{number(share.answered)} / {number(share.selected)}",
                        *counted(share.tally),
                        _without(found, share.missing),
                    )
                    for priority, share in found.priorities.items()
                ),
                "nothing was planned",
            ),
            Heading("By family"),
            Table(
                "families",
                heads("family", *COUNTED),
                tuple((family.value, *counted(tally)) for family, tally in found.totals.items()),
                "nothing was planned",
            ),
            Heading("Missing, and why", len(gaps)),
            Table(
                "missing",
                heads("outcome", "reason", "#results", "targets", "checks", "architectures"),
                gaps,
                "every planned check gave an answer",
            ),
            Heading("By family and target"),
            Table("places", heads("family", "target", *COUNTED), by_place, "nothing was planned"),
            Heading("Selected, but impossible to plan", len(found.unplanned)),
            Table("unplanned", heads("architecture", "reason"), tuple(found.unplanned.items()), "none"),
        ),
    )


def honesty(reader: Reader, run: str = "latest") -> Page:
    """How much of a run was real."""
    found = honesty_view(reader, run)
    seen = tuple(
        (
            Code(one.target),
            Code(one.asked),
            one.device_name,
            one.device_kind.value,
            one.precision,
            one.route,
            number(one.cells),
            spread(map(Code, one.fallbacks)) or "none",
        )
        for one in found.seen
    )
    return Page(
        name="honesty",
        title="Honesty",
        question="How much of this was real?",
        run_id=found.run_id,
        blocks=(
            note("Counts of results. Unproven: decided before anything could be read back from the runtime."),
            Heading("By target"),
            Table(
                "targets",
                heads("target", *REAL),
                tuple((Code(name), *real(one)) for name, one in found.by_target.items()),
                "nothing was planned",
            ),
            Heading("By family"),
            Table(
                "families",
                heads("family", *REAL),
                tuple((family.value, *real(one)) for family, one in found.by_family.items()),
                "nothing was planned",
            ),
            Heading("What runtimes said of themselves after the run"),
            Table(
                "seen",
                heads("target", "asked for", "device", "kind", "precision", "route", "#cells", "ran elsewhere"),
                seen,
                "no runtime answered: nothing ran",
            ),
            Heading("Foreseen by an entry in expectations", len(found.foreseen)),
            Table(
                "foreseen",
                heads("reason", "#results", "architectures"),
                tuple(
                    (one.reason, number(one.results), _named(found.run_id, one.architectures)) for one in found.foreseen
                ),
                "none",
            ),
            Heading("Architectures without one decided result", len(found.never_answered)),
            note(*_named(found.run_id, found.never_answered, 200)),
            Heading("Results that a repetition alone contradicted", found.flaky),
            Heading("What every word means"),
            Facts(tuple(WORDS.items())),
            Facts(tuple((name, Code(formula)) for name, formula in FORMULAS.items())),
        ),
    )


def dependencies(reader: Reader, run: str = "latest") -> Page:
    """The software of a run, and what its lack held back."""
    found = dependencies_view(reader, run)
    held = tuple(
        (one.reason, number(one.results), spread(map(Code, one.targets)), _named(found.run_id, one.architectures))
        for one in found.held_back
    )
    packages = tuple((Code(one.name), one.version or "not installed") for one in found.packages)
    changed: tuple[tuple[Entry, ...], ...] = tuple(
        (Code(name), *(version or "–" for version in line)) for name, line in found.changed.items()
    )
    blocks: list[Block] = [
        Heading("What was held back", len(held)),
        Table(
            "held",
            heads("reason, and what to type", "#results", "targets", "architectures"),
            held,
            "nothing: no result was unavailable",
        ),
        note("What each missing package would unlock: ", Code("muster doctor --models")),
        Heading("Versions that changed over the last runs", len(changed)),
        Table("changed", heads("package", *found.runs), changed, "none, as far as runs are on record"),
        Heading("Packages of this run", len(packages)),
        Table("packages", heads("package", "version"), packages, "the run recorded no environment"),
    ]
    if found.devices:
        blocks.append(Facts(tuple((name, device) for name, device in found.devices.items())))
    return Page(
        name="dependencies",
        title="Packages",
        question="What was installed, what was missing, and what did that hold back?",
        run_id=found.run_id,
        blocks=tuple(blocks),
    )


def _without(found: Coverage, names: Iterable[str]) -> tuple[Piece, ...]:
    """Names, with links to those that have a page: what was not planned has none."""
    linked = (name if name in found.unplanned else Link(name, of_model(found.run_id, name)) for name in names)
    return spread(linked) or ("none",)


def _named(run_id: str, names: Iterable[str], limit: int = 12) -> tuple[Piece, ...]:
    return spread((Link(name, of_model(run_id, name)) for name in names), limit) or ("none",)
