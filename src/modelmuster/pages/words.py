"""Numbers in words, the same on every page."""

from __future__ import annotations

from datetime import UTC, datetime

from modelmuster.pages.blocks import Amount, Bar, Entry, Place, to
from modelmuster.views import rates
from modelmuster.views.rates import Tally
from modelmuster.views.realness import Realness


def percent(share: float | None) -> str:
    """A share with one decimal, and a dash where there is none."""
    return "–" if share is None else Amount(rates.percent(share), share)


def number(count: int) -> str:
    """With thin spaces between thousands."""
    return Amount(f"{count:,}".replace(",", "\u202f"), count)


def milliseconds(value: float | None) -> str:
    """A time with three significant digits."""
    if value is None:
        return "–"
    return Amount(f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s", value)


def lasting(minutes: float) -> str:
    """A time that somebody waits."""
    if minutes < 2:
        return Amount(f"{minutes * 60:.0f} s", minutes)
    return Amount(f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h", minutes)


def quantity(value: float, name: str) -> str:
    """A measured value with the unit that its name ends in."""
    if name.endswith("_ms"):
        return milliseconds(value)
    if name.endswith("_bytes"):
        return Amount(f"{value / 2**20:.4g} MiB", value)
    return Amount(f"{value:.4g}", value)


def when(moment: str) -> str:
    """A time of the store to the minute, in UTC; as it stands where it is none."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return moment


def counted(tally: Tally) -> tuple[Entry, ...]:
    """A bar, passed over decided, the rate, decided over planned and the coverage: a rate never stands alone."""
    if not tally.planned:
        return ("🔷 mock, not counted" if tally.mock else "nothing planned", "–", "–", "–", "–")
    return (
        Bar(tally),
        f"{number(tally.passed)} / {number(tally.decided)}",
        percent(tally.pass_rate),
        f"{number(tally.decided)} / {number(tally.planned)}",
        percent(tally.coverage),
    )


COUNTED = ("outcomes", "#pass / decided", "#pass rate", "#decided / planned", "#coverage")
"""The heads that belong to `counted`."""


def real(one: Realness) -> tuple[Entry, ...]:
    """Counts of results by what stands behind them, and the share of real ones on hardware in what was planned."""
    counts = (one.hardware, one.emulated, one.unproven, one.nothing, one.planned)
    return (*map(number, counts), percent(one.share), number(one.mock))


REAL = (
    "#🚀 on hardware", "#emulated", "#unproven", "#no answer", "#planned", "#🚀 share", "#🔷 mock, not counted",
)  # fmt: skip
"""The heads that belong to `real`."""


def of_model(run_id: str, name: str) -> Place:
    """The page of an architecture."""
    return to("model", run=run_id, name=name)


def of_cell(run_id: str, cell_id: str) -> Place:
    """The page of a cell."""
    return to("cell", run=run_id, id=cell_id)
