"""The Atom feed of changes: one entry for each run that changed something."""

from __future__ import annotations

import html
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from modelmuster import dependencies
from modelmuster.history.changes import BAD
from modelmuster.report.xml_text import xml_text

if TYPE_CHECKING:
    from modelmuster.history.changes import Change
    from modelmuster.history.news import News

SHOWN = 20
"""Changes that an entry writes out, the worst first."""

_IDS = uuid.uuid5(uuid.NAMESPACE_OID, "modelmuster")
"""Makes ids of entries that stay the same wherever and whenever the feed is written."""


def render(found: Sequence[News], link: str) -> bytes:
    """The feed.

    Args:
        found: what changed, the youngest first.
        link: where the report lies that readers are led to.

    Raises:
        MissingDependency: feedgenerator is not installed.
    """
    try:
        from feedgenerator import Atom1Feed
    except ImportError as error:
        raise dependencies.missing("feedgenerator", purpose="the Atom feed") from error
    feed = Atom1Feed(
        title="modelmuster: what changed",
        link=link,
        description="New failures, fixes and answers that went missing, run by run.",
        author_name="modelmuster",
        feed_guid=f"urn:uuid:{uuid.uuid5(_IDS, link)}",
    )
    for one in found:
        moment = datetime.fromisoformat(one.created_at)
        feed.add_item(
            title=xml_text(_title(one)),
            link=link,
            description="",
            content="".join(_content(one)),
            pubdate=moment,
            updateddate=moment,
            unique_id=f"urn:uuid:{uuid.uuid5(_IDS, one.run_id)}",
        )
    return bytes(feed.writeString("utf-8"), "utf-8")


def _title(one: News) -> str:
    counted = Counter(change.kind for change in one.comparison.changes)
    return f"{', '.join(f'{count} {kind.value}' for kind, count in counted.items())} ({one.run_id})"


def _content(one: News) -> Iterator[str]:
    comparison = one.comparison
    yield f"<p>Run {_escaped(one.run_id)}, {one.decided} decided, after {_escaped(comparison.old)}.</p>"
    if comparison.environment:
        yield f"<p>Different environments: {_escaped('; '.join(comparison.environment))}</p>"
    worst_first = sorted(comparison.changes, key=lambda change: change.kind not in BAD)
    yield "<ul>"
    yield from map(_line, worst_first[:SHOWN])
    yield "</ul>"
    if len(worst_first) > SHOWN:
        yield f"<p>and {len(worst_first) - SHOWN} more: muster compare {_escaped(comparison.old)} {one.run_id}</p>"


def _line(change: Change) -> str:
    before = change.before.value if change.before else "not asked"
    after = change.after.value if change.after else "not asked"
    said = f": {change.message.partition(chr(10))[0][:200]}" if change.message else ""
    again = f"<br/><code>{_escaped(change.reproduce)}</code>" if change.reproduce else ""
    told = f"{change.kind.value}: {change.cell_id} {change.check}: {before} → {after}{said}"
    return f"<li>{_escaped(told)}{again}</li>"


def _escaped(value: str) -> str:
    return html.escape(xml_text(value))
