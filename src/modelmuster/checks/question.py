"""What most checks have in common: they are asked of every architecture and need nothing but forward passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding, Modality, Outcome, Trait


class Question:
    """Defaults of `contracts.Check`; a check sets `name` and `question` and overrides what it narrows."""

    families: frozenset[Family] | None = None
    traits: frozenset[Trait] = frozenset()
    modalities: frozenset[Modality] = frozenset()
    needs: frozenset[Capability] = frozenset()

    def applies(self, trial: Trial) -> str | None:  # noqa: ARG002 - for those that narrow it
        """Every model that the attributes admit."""
        return None


Figure: TypeAlias = float | int | str | bool | None
Figures: TypeAlias = dict[str, Figure]


def passed(figures: Mapping[str, Figure]) -> Finding:
    """The property holds."""
    return Finding(outcome=Outcome.PASS, figures=dict(figures))


def failed(message: str, figures: Mapping[str, Figure]) -> Finding:
    """The property does not hold, and why."""
    return Finding(outcome=Outcome.FAIL, message=message, figures=dict(figures))


def not_applicable(message: str) -> Finding:
    """Found out while asking that the question does not fit."""
    return Finding(outcome=Outcome.NOT_APPLICABLE, message=message)
