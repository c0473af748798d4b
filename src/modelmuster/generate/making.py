"""From a choice of classes to changes of files: the whole of `muster generate`, without its output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelmuster.catalog import Catalog
from modelmuster.errors import UnknownName
from modelmuster.generate import drafts, files, shipped, stock
from modelmuster.generate.blueprint import Blueprint, without_recipe
from modelmuster.generate.names import FileNames
from modelmuster.generate.render import Style, known_checks
from modelmuster.generate.workshop import Order
from modelmuster.records import Architecture
from modelmuster.settings import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What files are wanted, and how existing ones are treated."""

    architectures: Sequence[Architecture]
    folder: Path
    style: Style
    every_class: bool = False
    have: Collection[tuple[str, str]] = ()
    """Types with their classes that are left out, for they have a file."""
    verify: bool = False
    force: bool = False
    update: bool = False
    fresh: bool = False
    """Whether to build what was recorded by other code than this."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was found out before anything is written."""

    changes: list[files.Change]
    without: list[Blueprint]
    """Classes for which there is no recipe, with the reason."""
    behind: bool
    """Whether some of it was recorded by other code than this."""


def make(wish: Wish, catalog: Catalog, home: Home, *, advance: Callable[[Blueprint], None] | None = None) -> Made:
    """Work out every change; nothing is written.

    Raises:
        UsageError: the folder cannot be written, a template has an error, or hand-written files stand in the way.
        UnknownName: a question that none of the files could ask.
        MissingDependency: something that is needed for it is not installed.
    """
    files.prepare_folder(wish.folder)
    names = FileNames(entry.model_type for entry in catalog)
    orders = _orders(wish)
    without = [_no_class(entry) for entry in wish.architectures if not entry.model_classes]
    found = stock.find(orders, home, advance, fresh=wish.fresh)
    snapshot = shipped.current()
    behind = snapshot is not None and snapshot.is_behind and not wish.fresh and any(map(snapshot.find, orders))
    named: dict[str, Blueprint] = {}
    for order in orders:
        entry = found[order.architecture.model_type, order.model_class]
        if entry.reason:
            without.append(entry)
        else:
            named[names.name(order.architecture, order.model_class)] = entry
    files.refuse_hand_written([wish.folder / name for name in named])
    _refuse_unknown_checks(wish.style.checks, named.values())
    made = drafts.collected(drafts.drawn_up(named, wish.style))
    if wish.verify:
        made = list(drafts.verified(made))
    changes = [
        files.decide(draft, wish.folder / draft.name, home, force=wish.force, update=wish.update) for draft in made
    ]
    return Made(_sound(changes), without, behind)


def _orders(wish: Wish) -> list[Order]:
    return [
        Order(entry, name)
        for entry in wish.architectures
        for name in ([c.name for c in entry.model_classes] if wish.every_class else [entry.default_class])
        if name is not None and (entry.model_type, name) not in wish.have
    ]


def _no_class(architecture: Architecture) -> Blueprint:
    reason = architecture.note or "the installed transformers has no model class for this type"
    return without_recipe(architecture, "", reason)


def _refuse_unknown_checks(checks: Sequence[str], blueprints: Collection[Blueprint]) -> None:
    known = known_checks(blueprints)
    for name in checks:
        if blueprints and name not in known:
            raise UnknownName("question", name, known, see="docs/generate.md")


def _sound(changes: Sequence[files.Change]) -> list[files.Change]:
    """The changes, those merged ones left out that pytest cannot collect."""
    merged = {change.path.name: change for change in changes if change.fate is files.Fate.MERGED}
    tried = drafts.collected([replace(change.draft, text=change.after) for change in merged.values()])
    broken = {draft.name: draft.problem for draft in tried if draft.problem}
    return [
        replace(change, fate=files.Fate.FAILED, note=f"merged, {broken[change.path.name]}")
        if change.path.name in broken
        else change
        for change in changes
    ]
