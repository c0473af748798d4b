"""Nothing of an image, a video, a sound or a series may be cut off, skipped or covered."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from modelmuster.checks.feeding import carriers
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.gradients import weighted
from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding, Modality, Stage

PARTS = 4
"""Parts that each axis of an input is cut into."""

SERIES_PARTS = 64
"""Those of a past series: no longer than one of its patches. A future's last step has nothing left to influence."""

CHOSEN = "keypoints"

HIDDEN = "mask_ratio"
"""The share of the patches that a model hides from itself, here too and not while training only."""

LEAST = 1e-8
"""Share of the strongest region's gradient that counts as influence: far below any real one, above underflow."""

ASKED = frozenset({Modality.IMAGE, Modality.VIDEO, Modality.AUDIO, Modality.TIME_SERIES})


class Regions(Question):
    """One backward pass to the inputs: a region without a gradient changes nothing."""

    name = "regions"
    question = "Does every region of an image, video, sound or series influence the outputs?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed continuous data, in float32, where gradients do not underflow."""
        if trial.dtype != "float32":
            return "asked in float32 only: narrower gradients underflow"
        if CHOSEN in trial.baseline():
            return f"answers for the {CHOSEN} that it chose, and for no others"
        hidden = getattr(getattr(trial.module, "config", None), HIDDEN, 0)
        if hidden:
            return f"hides a share of {hidden} of what it is given ({HIDDEN}), to guess it"
        return None if _fed(trial) else "fed nothing that has regions"

    def run(self, trial: Trial) -> Finding:
        """The least share, for each region of each row."""
        given = arguments(trial, trial.inputs)
        names = _fed(trial)
        asked_of = [given[name].requires_grad_() for name in names]
        # Some write into what they are given, which torch refuses for what gradients are asked of.
        given |= {name: value.clone() for name, value in zip(names, asked_of, strict=True)}
        trial.entering(Stage.RUN)
        seed_forward()
        with torch.enable_grad():
            returned = main_outputs(dict(named_tensors(trial.module(**given))))
            loss = weighted(returned)
        if loss is None:
            return not_applicable("no output depends on its inputs in a differentiable way")
        found = torch.autograd.grad(loss, asked_of, allow_unused=True)
        trial.entering(Stage.COMPARE)
        figures, asked = Figures(), 0
        for name, gradient in zip(names, found, strict=True):
            if gradient is None or not bool(gradient.any()):
                continue
            asked += 1
            sizes = [(place, float(part.abs().max())) for place, part in _cut(gradient, _parts(name))]
            strongest = max(size for _, size in sizes)
            silent = [place for place, size in sizes if size <= LEAST * strongest]
            figures |= {f"{name}.regions": len(sizes), f"{name}.silent": len(silent)}
            if silent:
                return failed(
                    f"{len(silent)} of {len(sizes)} regions of {name} have no influence, such as {silent[0]}", figures
                )
        if not asked:
            return not_applicable("the outputs depend on these inputs in no differentiable way")
        return passed(figures)


def _fed(trial: Trial) -> list[str]:
    inputs = trial.inputs
    return [
        name
        for name, modality in carriers(trial).items()
        if modality in ASKED and getattr(inputs[name], "dtype", None) is not None and inputs[name].dtype.kind == "f"
    ]


def _parts(name: str) -> int:
    return SERIES_PARTS if name == "past_values" else PARTS


def _cut(gradient: torch.Tensor, parts: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Every block of the tensor, its axes after the first cut into a few parts, with its place in words."""
    blocks = [("", gradient)]
    for axis in range(gradient.dim()):
        count = gradient.shape[0] if axis == 0 else min(parts, gradient.shape[axis])
        cut: list[tuple[str, torch.Tensor]] = []
        for place, block in blocks:
            start = 0
            for part in block.tensor_split(count, axis):
                stop = start + part.shape[axis]
                cut.append((f"{place}{', ' if place else ''}{start}:{stop}", part))
                start = stop
        blocks = cut
    yield from ((f"[{place}]", block) for place, block in blocks if block.numel())
