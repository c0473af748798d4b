"""The relaxation ladder: which kinds of rules are given back when a model does not run, rung by rung."""

from __future__ import annotations

from modelmuster.recipes.shrink.rule import Kind

_STAGES = frozenset({Kind.LIST_WIDTH.value})
_WIDTHS = _STAGES | {Kind.WIDTH.value, Kind.HEADS.value, Kind.HEAD_DIM.value, Kind.RANK.value}
_ALL = _WIDTHS | {
    Kind.IMAGE.value,
    Kind.POSITIONS.value,
    Kind.WINDOW.value,
    Kind.QUERIES.value,
    Kind.DEPTHS.value,
    Kind.CODEBOOK.value,
    Kind.CONVOLUTION.value,
}

LADDER: tuple[frozenset[str], ...] = (frozenset(), _WIDTHS, _STAGES, _ALL)
"""Every rule; then none on widths, because most relations that the rules do not know are between widths; then all but
widths by stage; then only fewer layers, tokens and experts. Each rung costs a construction, so there are few."""
