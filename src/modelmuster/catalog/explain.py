"""Why the catalogue says what it says about one type."""

from __future__ import annotations

from modelmuster.catalog import gather, library, own
from modelmuster.catalog.judge import Judgement, judge
from modelmuster.errors import UnknownName


def explain(model_type: str) -> Judgement:
    """The reason for everything that is said about a type; introspects that type alone, in seconds.

    Raises:
        UnknownName: the installed transformers has no such type.
        MissingDependency: torch or transformers is not installed.
    """
    library.require()
    if model_type in own.points():
        seen = own.facts((model_type,))
        return judge(seen[model_type], seen, library.distribution_of)
    known = library.config_classes()
    if model_type not in known:
        raise UnknownName("architecture", model_type, known, see="muster catalog")
    facts = gather.gather([model_type])
    return judge(facts[model_type], facts, library.distribution_of)
