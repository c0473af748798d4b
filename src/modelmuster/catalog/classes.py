"""Which class of a type is run unless another is asked for: the most telling one that has a forward of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelmuster.catalog import modalities
from modelmuster.catalog.attention import Direction
from modelmuster.catalog.facts import Because, ClassFacts, Fit, TypeFacts

_TELLING = (
    "CAUSAL_LM",
    "SEQ_TO_SEQ_CAUSAL_LM",
    "IMAGE_TEXT_TO_TEXT",
    "MULTIMODAL_LM",
    "SPEECH_SEQ_2_SEQ",
    "MASKED_LM",
    "CTC",
    "RNNT",
    "TDT",
    "CAUSAL_IMAGE_MODELING",
    "IMAGE_CLASSIFICATION",
    "VIDEO_CLASSIFICATION",
    "OBJECT_DETECTION",
    "ZERO_SHOT_OBJECT_DETECTION",
    "UNIVERSAL_SEGMENTATION",
    "INSTANCE_SEGMENTATION",
    "SEMANTIC_SEGMENTATION",
    "DEPTH_ESTIMATION",
    "MASK_GENERATION",
    "KEYPOINT_DETECTION",
    "KEYPOINT_MATCHING",
    "POSE_ESTIMATION",
    "IMAGE_MATTING",
    "IMAGE_TO_IMAGE",
    "NORMAL_ESTIMATION",
    "POINTMAP_ESTIMATION",
    "AUDIO_CLASSIFICATION",
    "AUDIO_FRAME_CLASSIFICATION",
    "TEXT_TO_SPECTROGRAM",
    "TEXT_TO_WAVEFORM",
    "TIME_SERIES_PREDICTION",
    "TIME_SERIES_CLASSIFICATION",
    "TIME_SERIES_REGRESSION",
    "TABLE_RECOGNITION",
    "TEXT_RECOGNITION",
    "VISUAL_QUESTION_ANSWERING",
    "DOCUMENT_QUESTION_ANSWERING",
    "TABLE_QUESTION_ANSWERING",
    "RETRIEVAL",
    "SEQUENCE_CLASSIFICATION",
    "TOKEN_CLASSIFICATION",
    "QUESTION_ANSWERING",
)
"""Tasks whose outputs say most about a model, the best first: a head that gives logits for every position or place."""

_LEAST_TELLING = ("MODEL", "BACKBONE", "PRETRAINING", "AUDIO_TOKENIZATION", "IMAGE", "TEXT_ENCODING")
"""Bare models, and heads that want labels or masks: taken when there is nothing else."""

_FITS = {Fit.OWN: 0, Fit.ALIKE: 1, Fit.PART: 2}


def usable(facts: TypeFacts) -> tuple[ClassFacts, ...]:
    """The classes that can be built and called."""
    return tuple(found for found in facts.classes if found.runs)


def worth_adding(listed: Sequence[ClassFacts], unlisted: Iterable[ClassFacts]) -> list[ClassFacts]:
    """Classes that no auto-mapping lists although they say more about the type than every class that one does.

    They take all that a listed class takes and another kind of data besides (Moshi with sound), or they generate
    where only bare models are listed (GLM-Image).
    """
    runs = [found for found in listed if found.runs]
    widest = max((set(modalities.of_parameters(found.parameters)) for found in runs), key=len)
    bare = all(task in _LEAST_TELLING for found in runs for task in found.tasks)
    generates = any(found.generates for found in runs)
    return [
        found
        for found in unlisted
        if found.runs
        and (set(modalities.of_parameters(found.parameters)) > widest or (bare and found.generates and not generates))
    ]


def default(facts: TypeFacts, direction: Direction) -> Because | None:
    """The class to run, with the reason; None where no class can be called.

    In order: made for this very config; takes the most kinds of data, so that a multimodal type is run as such;
    has the most telling task; generates; is exported; comes first in its module.
    """
    found = usable(facts)
    if not found:
        return None
    tasks = _preferred(direction)

    def rank(candidate: ClassFacts) -> tuple[int, int, int, bool, bool, int]:
        kinds = modalities.coverage(modalities.of_class(facts, candidate))
        unlisted = tasks.index("SPEECH_SEQ_2_SEQ") if candidate.generates else len(tasks) + len(_LEAST_TELLING) + 1
        best = min((_place(task, tasks) for task in candidate.tasks), default=unlisted)
        order = found.index(candidate)
        return _FITS[candidate.fit], -kinds, best, not candidate.generates, not candidate.exported, order

    chosen = min(found, key=rank)
    if chosen.tasks:
        task = min(chosen.tasks, key=lambda name: _place(name, tasks))
        return Because(chosen.name, f"takes the most kinds of data, and of those the most telling: {task}")
    return Because(chosen.name, "in no auto-mapping, but the most telling in the package's modelling code")


def _preferred(direction: Direction) -> tuple[str, ...]:
    """The order of tasks for a type whose text is read in this direction."""
    first = {Direction.ENCODER_DECODER: "SEQ_TO_SEQ_CAUSAL_LM", Direction.BOTH_WAYS: "MASKED_LM"}.get(direction)
    if first is None:
        return _TELLING
    rest = [task for task in _TELLING if task not in (first, "CAUSAL_LM")]
    after = rest.index("SPEECH_SEQ_2_SEQ") + 1
    return (first, *rest[:after], "CAUSAL_LM", *rest[after:])


def _place(task: str, preferred: tuple[str, ...]) -> int:
    if task in preferred:
        return preferred.index(task)
    if task in _LEAST_TELLING:
        return len(preferred) + 1 + _LEAST_TELLING.index(task)
    return len(preferred)
