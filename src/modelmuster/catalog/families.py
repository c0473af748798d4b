"""The family of a type: what tests must know about it, from the kinds of data it takes in and how it reads text."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from modelmuster.catalog.attention import Direction
from modelmuster.catalog.facts import ClassFacts, TypeFacts
from modelmuster.records import Family, Modality


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule may look at."""

    facts: TypeFacts
    chosen: ClassFacts | None
    kinds: Collection[Modality]
    direction: Direction

    @property
    def tasks(self) -> frozenset[str]:
        """Every auto-mapping that lists the type."""
        return frozenset(task for found in self.facts.classes for task in found.tasks)

    @property
    def sees(self) -> bool:
        """It takes images or videos."""
        return Modality.IMAGE in self.kinds or Modality.VIDEO in self.kinds

    @property
    def reads(self) -> bool:
        """It takes text."""
        return Modality.TEXT in self.kinds

    @property
    def only_writes(self) -> bool:
        """Its text is no more than what its decoder wrote so far, as in speech recognition."""
        if self.chosen is None or not self.chosen.takes("decoder_input_ids"):
            return False
        # Pop2Piano takes input_ids too, but as another way to give its sound.
        return self.chosen.main_input in _SOUNDS or not self.chosen.takes("input_ids")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the decision: the first rule that holds gives the family."""

    family: Family
    reason: str
    holds: Callable[[Case], bool]


_SOUNDS = ("input_features", "input_values")

_SPEECH = frozenset({"TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM", "SPEECH_SEQ_2_SEQ"})
"""Tasks that make a model of text a model of speech or music: sound is on one side, if only as codes."""

RULES: tuple[Rule, ...] = (
    Rule(Family.TIME_SERIES, "takes time series", lambda case: Modality.TIME_SERIES in case.kinds),
    Rule(
        Family.ANY_TO_ANY,
        "takes pictures and sound",
        lambda case: case.sees and Modality.AUDIO in case.kinds,
    ),
    Rule(Family.VISION_TEXT, "takes pictures and text", lambda case: case.reads and case.sees),
    Rule(
        Family.AUDIO,
        "takes sound; its text is only what it has written so far",
        lambda case: case.reads and Modality.AUDIO in case.kinds and case.only_writes,
    ),
    Rule(Family.AUDIO_TEXT, "takes sound and text", lambda case: case.reads and Modality.AUDIO in case.kinds),
    Rule(Family.AUDIO, "takes sound", lambda case: Modality.AUDIO in case.kinds),
    Rule(Family.AUDIO, "takes or gives sound as ids", lambda case: case.reads and bool(case.tasks & _SPEECH)),
    Rule(Family.VIDEO, "takes videos", lambda case: Modality.VIDEO in case.kinds),
    Rule(Family.VISION, "takes images", lambda case: Modality.IMAGE in case.kinds),
    Rule(Family.OTHER, "takes numbers that are no text", lambda case: Modality.TABULAR in case.kinds),
    Rule(
        Family.ENCODER_DECODER,
        "takes text; an encoder and a decoder",
        lambda case: case.reads and case.direction is Direction.ENCODER_DECODER,
    ),
    Rule(
        Family.DECODER_ONLY,
        "takes text, and no position sees later ones",
        lambda case: case.reads and case.direction is Direction.CAUSAL,
    ),
    Rule(Family.ENCODER_ONLY, "takes text, and positions see both ways", lambda case: case.reads),
    Rule(Family.OTHER, "takes neither text, pictures, sound nor time series", lambda _: True),
)
"""In order."""


def family(case: Case) -> Rule:
    """The first rule that holds."""
    return next(rule for rule in RULES if rule.holds(case))
