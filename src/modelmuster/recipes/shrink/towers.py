"""Relations between sub-configs: what one of them says about another's layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.lists import each
from modelmuster.recipes.shrink.rule import Kind, RelationRule, relation_rule

FEATURE_LAYERS = re.compile(r"(vision|image|visual)_(feature|select)_layers?$|^(mm_)?vision_select_layer$")
"""Fields that name the layers of the vision tower whose outputs a connector uses."""

BORROWED = re.compile(
    r"^((out|output|text|llm|language|audio|vision|decoder|encoder|condition|projection|projector|cross_attention|fpn)_"
    r"\w*(dim|size)|(latent|output)_channels)$"
)
"""Fields for the width of what a config hands to another one or takes from it."""

VISION_TOWER = re.compile(r"vision|visual|image")

SIDE_BY_SIDE = ("out_hidden_size", "quantization_dim")
"""Fields of a whole for the width of several vectors of a tower, one beside the other."""

MOST_SIDE_BY_SIDE = 4
"""Two towers, or two patches by two."""

FEATURE_SIZES = re.compile(r"backbone_feature_sizes$|rope_feat_sizes$")
"""Fields that state the sides of feature maps."""

MEMORIES = "memory_encoder_output_channels"
"""The width of memories; the code that reads them states the default's as a number."""


@relation_rule
def feature_layers(root: Draft) -> None:
    """A connector takes the outputs of layers that the smaller vision tower has; different ones if it took several."""
    count = next(_tower_layers(root), None)
    if count is None:
        return
    for draft in root.walk():
        for name, before in draft.values.items():
            if not FEATURE_LAYERS.search(name):
                continue
            if isinstance(before, int) and not isinstance(before, bool) and not -count - 1 <= before < count:
                draft.choose(name, -1, rule=feature_layers.name, reason=feature_layers.reason)
            elif isinstance(before, (list, tuple)) and any(not -count - 1 <= index < count for index in before):
                # The same order, from the last layer down where it went down.
                last_first = len(before) > 1 and before[0] > before[-1]
                kept = [min(index, count - 1) for index in range(len(before))]
                after = kept[::-1] if last_first else kept
                draft.choose(name, after, rule=feature_layers.name, reason=feature_layers.reason)


@relation_rule
def borrowed_widths(root: Draft) -> None:
    """A width that a convolutional tower shares with a config that was narrowed follows it, unlike its own channels."""
    narrowed = {}
    for draft in root.walk():
        before, after = draft.before("hidden_size"), draft.number("hidden_size")
        if isinstance(before, int) and after is not None and after < before:
            narrowed[before] = after
    for draft in root.walk():
        for name, value in draft.values.items():
            if BORROWED.search(name) and isinstance(value, int) and draft.number(name) == value and value in narrowed:
                draft.choose(name, narrowed[value], rule=borrowed_widths.name, reason=borrowed_widths.reason)


@relation_rule
def tilings(root: Draft) -> None:
    """Extents that an image is resized to before it is cut into tiles are still multiples of the tower's image."""
    before = after = None
    for draft in root.walk():
        if VISION_TOWER.search(draft.path) and draft.number("image_size"):
            before, after = draft.before("image_size"), draft.number("image_size")
            break
    table = root.values.get("image_grid_pinpoints")
    if not isinstance(before, int) or not after or not isinstance(table, (list, tuple)):
        return
    if all(side % before == 0 for extent in table for side in extent):
        smaller = [[side // before * after for side in extent] for extent in table]
        root.choose("image_grid_pinpoints", smaller, rule=tilings.name, reason=tilings.reason)


@relation_rule
def feature_sizes(root: Draft) -> None:
    """Sides of feature maps that a config states shrink with the image that they are made of."""
    images = [
        (before, after)
        for draft in root.walk()
        if isinstance(before := draft.before("image_size"), int) and (after := draft.number("image_size"))
    ]
    if not images:
        return
    # A whole may repeat the size of its part, which is read from the default there.
    before, after = min(images, key=lambda sides: sides[1] / sides[0])
    for draft in root.walk():
        for name, table in draft.values.items():
            if FEATURE_SIZES.search(name) and isinstance(table, (list, tuple)):
                smaller = each(table, lambda side: max(1, side * after // before))
                draft.choose(name, smaller, rule=feature_sizes.name, reason=feature_sizes.reason)


@relation_rule
def one_image(root: Draft) -> None:
    """Where several configs state the size of one image, all state the one that the patches of the tower divide."""
    divided = {
        before: after
        for draft in root.walk()
        if draft.number("patch_size")
        and isinstance(before := draft.before("image_size"), int)
        and (after := draft.number("image_size"))
    }
    for draft in root.walk():
        # Some classes take it without declaring it.
        before = vars(draft.config).get("image_size")
        if isinstance(before, int) and not draft.values.get("patch_size") and before in divided:
            draft.choose("image_size", divided[before], rule=one_image.name, reason=one_image.reason)


@relation_rule
def side_by_side(root: Draft) -> None:
    """What takes several vectors of a tower side by side is as many times as wide as the narrowed tower."""
    widths = [
        (before, after)
        for draft in root.walk()
        if draft.path
        and not draft.path.startswith("text")
        and isinstance(before := draft.before("hidden_size"), int)
        and (after := draft.number("hidden_size"))
        and after < before
    ]
    for name in SIDE_BY_SIDE:
        value = root.values.get(name)
        for before, after in widths:
            if isinstance(value, int) and value % before == 0 and 1 < value // before <= MOST_SIDE_BY_SIDE:
                root.choose(name, value // before * after, rule=side_by_side.name, reason=side_by_side.reason)
                break


@relation_rule
def memories(root: Draft) -> None:
    """Memories are as wide as the code says, and what they are made of is wider still, in all of the configs."""
    stated = [draft for draft in root.walk() if draft.number(MEMORIES) and MEMORIES in draft.values]
    if not stated or not root.allows(Kind.WIDTH):
        return
    least = stated[0].before(MEMORIES)
    wide = stated[0].before("memory_encoder_hidden_size")
    for draft in root.walk():
        for name, value in draft.values.items():
            if value == wide and draft.number(name) == sizes.HIDDEN:
                draft.choose(name, 2 * least, rule=memories.name, reason=memories.reason)
    for draft in stated:
        draft.choose(MEMORIES, least, rule=memories.name, reason=memories.reason)


def _tower_layers(root: Draft) -> Iterator[int]:
    """The number of layers of the vision tower; nothing where there is none."""
    for draft in root.walk():
        if VISION_TOWER.search(draft.path):
            count = next((draft.number(name) for name in ("num_hidden_layers", "depth") if draft.number(name)), None)
            if count:
                yield count


TREE_RULES: tuple[RelationRule, ...] = (
    feature_layers,
    borrowed_widths,
    side_by_side,
    memories,
    tilings,
    one_image,
    feature_sizes,
)
"""Applied once to the whole tree, after every config was shrunk."""
