"""Detectors promise boxes, segmenters promise masks: as many as they have queries, of the shape of their labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from modelmuster.checks.feeding import batch_size, settings
from modelmuster.checks.promises import rows_of_frames, tasks_of
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding

TASKS = frozenset({
    "DEPTH_ESTIMATION", "IMAGE_SEGMENTATION", "INSTANCE_SEGMENTATION", "OBJECT_DETECTION", "SEMANTIC_SEGMENTATION",
    "UNIVERSAL_SEGMENTATION", "ZERO_SHOT_OBJECT_DETECTION",
})  # fmt: skip

BOX_SLACK = 1e-6
"""Boxes are fractions of the image; a sigmoid may round to one."""

_QUERIES = ("num_queries", "num_detection_tokens", "num_object_queries")


class PredictionCounts(Question):
    """Reads the shapes of boxes, masks, maps and their labels."""

    name = "prediction_counts"
    question = "Are there as many boxes, masks and labels as the configuration has queries and classes?"

    def applies(self, trial: Trial) -> str | None:
        """Detection, segmentation and depth."""
        return None if tasks_of(trial) & TASKS else "no task with boxes, masks or maps"

    def run(self, trial: Trial) -> Finding:
        """Exact counts."""
        arrays = {name: output.array for name, output in trial.baseline().items()}
        figures = Figures({f"{name}.shape": "×".join(map(str, array.shape)) for name, array in arrays.items()})
        wrong = (
            _boxes(trial, arrays)
            or _masks(arrays)
            or _queries(trial, arrays)
            or _maps(trial, arrays)
            or _rows(trial, arrays)
        )
        return failed(wrong, figures) if wrong else passed(figures)


def _boxes(trial: Trial, arrays: Mapping[str, np.ndarray]) -> str | None:
    boxes, logits = arrays.get("pred_boxes"), arrays.get("logits")
    if boxes is None:
        return None
    numbers = getattr(trial.module.config, "num_coords", 4) if Capability.MODULE in trial.capabilities else 4
    if boxes.ndim != 3 or boxes.shape[-1] != numbers:
        return f"boxes of shape {boxes.shape}, not batch × queries × {numbers}"
    if logits is not None and logits.shape[:2] != boxes.shape[:2]:
        return f"{boxes.shape[1]} boxes, but labels for {logits.shape[1]}"
    # Widths and heights that overlap the border are allowed, negative ones are not.
    if float(boxes.min()) < -BOX_SLACK or float(boxes.max()) > 1 + BOX_SLACK:
        return f"boxes from {boxes.min():.3g} to {boxes.max():.3g} instead of fractions of the image"
    return None


def _masks(arrays: Mapping[str, np.ndarray]) -> str | None:
    masks, classes = arrays.get("masks_queries_logits"), arrays.get("class_queries_logits")
    if masks is None or classes is None:
        return None
    if masks.ndim != 4 or masks.shape[:2] != classes.shape[:2]:
        return f"masks of shape {masks.shape} for labels of shape {classes.shape}"
    return None


def _queries(trial: Trial, arrays: Mapping[str, np.ndarray]) -> str | None:
    promised = {value for key, value in settings(trial.recipe.config) if key in _QUERIES and type(value) is int}
    for name in ("pred_boxes", "masks_queries_logits"):
        if name in arrays and promised and arrays[name].shape[1] not in promised:
            return f"{arrays[name].shape[1]} in {name}, the configuration promises {min(promised)} queries"
    return None


def _maps(trial: Trial, arrays: Mapping[str, np.ndarray]) -> str | None:
    """One channel for each label of a semantic segmentation; one number for each pixel of a depth map."""
    logits, depth = arrays.get("logits"), arrays.get("predicted_depth")
    labels = {value for key, value in settings(trial.recipe.config) if key == "num_labels"}
    if logits is not None and logits.ndim == 4 and labels and logits.shape[1] not in labels:
        return f"{logits.shape[1]} channels for {min(labels)} labels"
    if depth is not None and depth.ndim != 3:
        return f"a depth map of shape {depth.shape}, not batch × height × width"
    return None


def _rows(trial: Trial, arrays: Mapping[str, np.ndarray]) -> str | None:
    batch = batch_size(trial)
    allowed = {batch} | rows_of_frames(trial)
    for name in ("pred_boxes", "logits", "masks_queries_logits", "predicted_depth"):
        if name in arrays and batch is not None and arrays[name].shape[0] not in allowed:
            return f"{arrays[name].shape[0]} rows of {name} for a batch of {batch}"
    return None
