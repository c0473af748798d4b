"""Weights survive the disk: what is saved, in shards and with tied tensors left out, is what is loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from modelmuster.checks.live import outputs
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import dtype_named, flatten, to_torch
from modelmuster.recipes import sessions
from modelmuster.records import Finding


class SaveLoad(Question):
    """save_pretrained into two shards, from_pretrained, and the same inputs again."""

    name = "save_load"
    question = "Does a model that was saved and loaded again have the same weights and give the same outputs?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models of transformers."""
        return None if hasattr(trial.module, "save_pretrained") else "the module has no save_pretrained"

    def run(self, trial: Trial) -> Finding:
        """Bitwise, for parameters and for outputs."""
        module, figures = trial.module, Figures()
        size = sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())
        with tempfile.TemporaryDirectory(prefix="muster-save-") as folder, _no_progress_bars():
            module.save_pretrained(folder, max_shard_size=max(size // 2, 1))
            loaded, said = type(module).from_pretrained(
                folder,
                dtype=dtype_named(trial.dtype),
                output_loading_info=True,
                local_files_only=True,
            )
        sessions.attach(loaded)
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            names = sorted(map(str, said.get(kind) or ()))
            figures[kind] = len(names)
            if names:
                return failed(
                    f"{kind.replace('_', ' ')} when loading what was just saved: {', '.join(names[:3])}", figures
                )
        wrong = _different_weights(module, loaded)
        figures["different_weights"] = len(wrong)
        if wrong:
            return failed(f"{len(wrong)} tensors differ after loading, such as {wrong[0]}", figures)
        loose = sorted(_ties(module) - _ties(loaded))
        figures["ties"] = len(_ties(module))
        if loose:
            return failed(f"{' and '.join(loose[0])} are one tensor before, but two after loading", figures)
        device = next(module.parameters()).device
        loaded = loaded.eval().to(device)
        given = to_torch(trial.inputs, dtype_named(trial.dtype), device)
        after, before = flatten(call_seeded(loaded, given)), outputs(trial, trial.inputs)
        differing = [
            name
            for name, output in before.items()
            if name not in after
            or not np.array_equal(output.array, after[name].array, equal_nan=_is_float(output.array))
        ]
        if differing:
            return failed(f"the loaded model has the same weights, but gives another {differing[0]}", figures)
        return passed(figures)


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    from transformers.utils import logging

    before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            logging.enable_progress_bar()


def _different_weights(module: Any, loaded: Any) -> list[str]:
    """Tensors that are saved; tables that are computed anew, and grow with use, show in the outputs."""
    after = dict(loaded.state_dict())
    return [
        name
        for name, tensor in module.state_dict().items()
        if name not in after or not torch.equal(tensor.cpu().nan_to_num(), after[name].cpu().nan_to_num())
    ]


def _ties(module: Any) -> set[tuple[str, ...]]:
    """The names of every parameter that has more than one."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {tuple(sorted(found)) for found in names.values() if len(found) > 1}


def _is_float(array: np.ndarray) -> bool:
    return array.dtype.kind in "fc"
