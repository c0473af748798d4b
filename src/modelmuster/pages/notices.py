"""What a reader has to know of a run before any number of it: that it is mock only, or that it has not ended."""

from __future__ import annotations

from dataclasses import replace

from modelmuster.pages.blocks import Code, Note, Page, note
from modelmuster.pages.words import number
from modelmuster.records import Outcome
from modelmuster.store import Reader
from modelmuster.views.rates import tally


def noticed(reader: Reader, page: Page) -> Page:
    """The page with the notices about its run above everything else."""
    return replace(page, blocks=(*notices(reader, page.run_id), *page.blocks)) if page.run_id else page


def notices(reader: Reader, run_id: str) -> tuple[Note, ...]:
    """What there is to know of a run; nothing of a real one that came to its end."""
    counted = reader.rows(
        "SELECT outcome, mock, expected, flaky, sum(results)::BIGINT AS results FROM tallies JOIN runs USING (run) "
        "WHERE run_id = $run_id GROUP BY ALL",
        run_id=run_id,
    )
    total = tally(counted)
    found = []
    if total.mock and not total.planned:
        found.append(
            note(
                "🔷 This run is mock only: it tries the plumbing, and says nothing about any model. For a real one: ",
                Code("muster run bert llama vit"),
            )
        )
    if not_run := total.counts.get(Outcome.NOT_RUN, 0):
        found.append(
            note(
                f"{number(not_run)} results were planned and never reached: the run goes on, or was interrupted. "
                "To finish it type ",
                Code(f"muster run --resume --of {run_id}"),
            )
        )
    return tuple(found)
