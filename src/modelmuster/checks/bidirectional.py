"""An encoder reads in both directions."""

from __future__ import annotations

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, replaced, text_only
from modelmuster.contracts import Trial
from modelmuster.records import Family, Finding


class Bidirectional(Question):
    """Replaces the last attended tokens and looks at the first answer, then the other way round."""

    name = "bidirectional"
    question = "Do later tokens influence the answers for earlier ones, and earlier those for later ones?"
    families = frozenset({Family.ENCODER_ONLY})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed text alone."""
        return text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """More than noise in both directions; the tolerance is the floor of the rule."""
        length = trial.inputs["input_ids"].shape[1]
        third = length // 3
        first, rest = slice(None, third), slice(third, None)
        before, figures = trial.baseline(), Figures()
        if not at(before, first, length):
            return not_applicable(NO_TOKENS)
        for said, changed, looked in (("later", rest, first), ("earlier", first, rest)):
            after = trial.run(replaced(trial, changed))
            change, most = influence(at(before, looked, length), at(after, looked, length), trial.dtype)
            figures[f"influence_of_{said}"] = change
            if change <= noise_floor(trial.dtype):
                return failed(f"{said} tokens change {most} by {change:.1e} only: attention runs one way", figures)
        return passed(figures)
