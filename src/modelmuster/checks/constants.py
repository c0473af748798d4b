"""What is kept beside the trained weights, tables of positions and statistics above all, is there to be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import torch

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.feeding import quantiser
from modelmuster.checks.left_out import calls, whole_idle
from modelmuster.checks.live import outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Stage

UNREAD_BY_DESIGN = re.compile(
    r"\w*original_inv_freq|\w*masked_bias|cluster_(size|usage)|embed_(avg|sum)|init(t)?ed|\w*_states?|\w*_cached|"
    r"rope_deltas|bands|latent_(mean|std)"
)
"""Names of what is read while training or generating only, or when a sequence is longer or an image of another size
than it may be, and of what one call leaves for the next."""

LOSS = "criterion"
"""What a part is called that only computes a loss."""

MOST_GROUPS = 12
"""Each costs a forward pass."""

LISTED = 5


class Constants(Question):
    """Changes the frozen parameters and the buffers of floating point, alike ones of all layers together."""

    name = "constants"
    question = "Does every table that is not trained, such as positions and running statistics, have an influence?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that keep such tables and do not choose among code words, in float32."""
        if trial.dtype != "float32":
            return "asked in float32 only: narrower types hide small effects"
        if chosen := quantiser(trial):
            return f"has a quantiser ({chosen}), whose choice hides small effects"
        return None if _groups(trial.module) else "keeps no numbers beside its trained weights"

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule."""
        trial.entering(Stage.RUN)
        # The first pass fills what is made when it is needed.
        with calls(trial.module) as seen:
            outputs(trial, trial.inputs)
        idle = {name for name, _ in _untrained(trial.module) if whole_idle(trial.module, name, seen)}
        groups = _groups(trial.module, idle)
        if not groups:
            return not_applicable("keeps no numbers beside its trained weights in what is called")
        kept = {name: [tensor.detach().clone() for tensor in tensors] for name, tensors in groups.items()}
        changed = {name: [_changed(tensor) for tensor in tensors] for name, tensors in groups.items()}
        figures, dead = Figures(), []
        try:
            # All are changed, and then one at a time is as it was: a zero that switches a branch off hides no other.
            for name, tensors in groups.items():
                _put(tensors, changed[name])
            before = outputs(trial, trial.inputs)
            for name, tensors in groups.items():
                _put(tensors, kept[name])
                change, _ = influence(before, outputs(trial, trial.inputs), trial.dtype)
                _put(tensors, changed[name])
                figures[name] = change
                if change <= noise_floor(trial.dtype):
                    dead.append(name)
        finally:
            for name, tensors in groups.items():
                _put(tensors, kept[name])
        if dead:
            more = f" and {len(dead) - LISTED} more" if len(dead) > LISTED else ""
            return failed(f"of no influence: {', '.join(dead[:LISTED])}{more}", figures)
        return passed(figures)


def _put(tensors: list[torch.Tensor], values: list[torch.Tensor]) -> None:
    with torch.no_grad():
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)


def _groups(module: torch.nn.Module, idle: Collection[str] = ()) -> dict[str, list[torch.Tensor]]:
    """Tensors that are not trained, alike ones together: by the last words of their names, as few as it takes.

    Those of parts that are `idle` are left out.
    """
    found = _by_name(module, 2, idle)
    return found if len(found) <= MOST_GROUPS else _by_name(module, 1, idle)


def _by_name(module: torch.nn.Module, words: int, idle: Collection[str]) -> dict[str, list[torch.Tensor]]:
    found: dict[str, list[torch.Tensor]] = {}
    seen: set[int] = set()
    for name, tensor in _untrained(module):
        if tensor.is_floating_point() and tensor.numel() > 1 and id(tensor) not in seen and name not in idle:
            seen.add(id(tensor))
            parts = [part for part in name.split(".") if not part.isdigit()]
            if LOSS not in parts and not UNREAD_BY_DESIGN.fullmatch(parts[-1]):
                found.setdefault(".".join(parts[-words:]), []).append(tensor)
    return found


def _untrained(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from ((name, value) for name, value in module.named_parameters() if not value.requires_grad)
    yield from module.named_buffers()
    for place, part in module.named_modules():
        for name, value in vars(part).items():
            # Some keep a plain tensor, without telling torch of it.
            if isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter):
                yield f"{place}.{name}" if place else name, value


def _changed(tensor: torch.Tensor) -> torch.Tensor:
    """Other numbers of about the same size, positive ones still positive."""
    finite = torch.where(torch.isfinite(tensor), tensor, 0)
    draw = torch.Generator().manual_seed(0)
    # Well below one, each of them: a probability that stays near one still means always.
    factor = 0.5 + torch.rand(tensor.shape, generator=draw).to(tensor) / 4
    size = float(finite.abs().mean())
    spread = 0.1 if size == 0 else size if bool((finite < 0).any()) else 0.0
    noise = torch.randn(tensor.shape, generator=draw).to(tensor)
    return torch.where(torch.isfinite(tensor), factor * finite + spread * noise, tensor)
