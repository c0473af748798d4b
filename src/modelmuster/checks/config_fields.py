"""A configuration is a promise: a scale, a cap, an epsilon or an activation that it names must have an effect."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError

from modelmuster.checks.code_words import chosen_by
from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.left_out import Calls, calls
from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Outputs, Trial
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import flatten
from modelmuster.recipes import sessions
from modelmuster.records import Finding, Modality, Stage

MOST_FIELDS = 12
"""Each costs another construction and a forward pass."""


LARGE_EPSILON = 0.01

_POSITIONS = "position_embedding_type"
"""A field that may say that positions are not told by rotation."""


_SWITCH = "use_mem_rope"
"""A field that switches rotation on."""

_BY_LAYER = "layer_rope_theta"
"""A field that takes the place of the one base for all layers."""


def _times(factor: float) -> Callable[[Any], Any]:
    def changed(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or value == 0:
            return None
        return type(value)(value * factor)

    return changed


def _other_epsilon(value: Any) -> Any:
    return LARGE_EPSILON if isinstance(value, float) and value < LARGE_EPSILON else None


def _other_activation(value: Any) -> Any:
    return ("gelu" if value == "relu" else "relu") if isinstance(value, str) else None


def _other_theta(value: Any) -> Any:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("rope_theta"), int | float):
        return value | {"rope_theta": value["rope_theta"] / 100}
    by_layer = {name: _other_theta(member) for name, member in value.items()}
    return {name: member or value[name] for name, member in by_layer.items()} if any(by_layer.values()) else None


def _other_thetas(value: Any) -> Any:
    return [theta / 100 for theta in value] if isinstance(value, list) and any(value) else None


CHANGES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    (r"\w*_softcap(ping)?", _times(0.02)),
    (
        r"(?!\w*dim_multiplier)\w*_multiplier|logits?_scal(e|ing)|scale_(emb|depth)|attention_scaling|residual_scale",
        _times(2.0),
    ),
    (r"query_pre_attn_scalar", _times(4.0)),
    (r"(layer|rms|group|batch)_norm_eps(ilon)?|norm_eps(ilon)?|layer_norm_epsilon|\w+_norm_eps", _other_epsilon),
    (r"hidden_act(ivation)?|activation_function|encoder_act|decoder_act", _other_activation),
    (r"rope_parameters", _other_theta),
    (_BY_LAYER, _other_thetas),
)
"""Fields by name, with a change that no model that reads them can miss. Nothing is expected of fields that only shape
training, name token ids or choose a code path."""

PARTS: tuple[tuple[str, frozenset[Modality]], ...] = (
    (r"audio|speech", frozenset({Modality.AUDIO})),
    (r"vision|image", frozenset({Modality.IMAGE, Modality.VIDEO})),
    (r"prompt_encoder", frozenset()),
)
"""Names of sub-configs with the modalities that feed what they configure; an encoder of prompts applies its settings to
masks as prompts, which no recipe hands in."""


class ConfigFields(Question):
    """Builds the model again with one field changed at a time, the weights kept."""

    name = "config_fields"
    question = "Does every scale, cap, epsilon and activation of the configuration have an effect?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models with such fields, in float32."""
        if trial.dtype != "float32":
            return "asked in float32 only: narrower types hide small effects"
        if not hasattr(trial.module, "config") or not self._asked(trial):
            return "the configuration names no scale, cap, epsilon or activation"
        return None

    @staticmethod
    def _asked(trial: Trial, idle: frozenset[str] = frozenset()) -> list[tuple[tuple[str, ...], Any]]:
        """The fields to change, but for those of sub-configs whose types are `idle`."""
        fed, root = set(trial.recipe.modalities), trial.module.config
        found = [(path, value) for path, value in _fields(root) if _is_fed(path, fed)]
        return [
            (path, value) for path, value in found if len(path) == 1 or type(_owner(root, path)).__name__ not in idle
        ][:MOST_FIELDS]

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule."""
        trial.entering(Stage.RUN)
        module, figures, dead = trial.module, Figures(), []
        with _used_configs(module) as idle, calls(module) as seen:
            before = _outputs(trial, module)
        figures["never_called"] = ", ".join(sorted(idle))
        again = _built_again(module, module.config)
        if again is None:
            return not_applicable("its own configuration builds a model of other shapes")
        change, most = influence(before, _outputs(trial, again), trial.dtype)
        if change > noise_floor(trial.dtype):
            return not_applicable(f"built again from its own configuration and weights, {most} changes by {change:.1e}")
        for path, value in self._asked(trial, frozenset(idle)):
            if _belongs_to_idle(module, path, seen):
                continue
            config = copy.deepcopy(module.config)
            try:
                setattr(_owner(config, path), path[-1], value)
                built = _built_again(module, config)
            except (ValueError, StrictDataclassError) as refusal:
                figures[f"{'.'.join(path)}.refused"] = str(refusal)
                continue
            if built is None:
                continue
            change, _ = influence(before, _outputs(trial, built), trial.dtype)
            figures[".".join(path)] = change
            if change <= noise_floor(trial.dtype):
                dead.append(".".join(path))
        trial.entering(Stage.COMPARE)
        return failed(f"of no effect: {', '.join(dead)}", figures) if dead else passed(figures)


def _owner(config: Any, path: tuple[str, ...]) -> Any:
    """The configuration, or its part, that has the field."""
    for name in path[:-1]:
        config = getattr(config, name)
    return config


@contextmanager
def _used_configs(module: torch.nn.Module) -> Iterator[set[str]]:
    """At the end, the types of the configurations of parts of which none was called in here."""
    held: dict[str, bool] = {}
    hooks = []
    for part in module.modules():
        kind = type(getattr(part, "config", None)).__name__
        held.setdefault(kind, False)
        hooks.append(part.register_forward_pre_hook(lambda _part, _given, kind=kind: held.update({kind: True})))
    idle: set[str] = set()
    try:
        yield idle
    finally:
        for hook in hooks:
            hook.remove()
        idle |= {kind for kind, used in held.items() if not used}


def _belongs_to_idle(module: torch.nn.Module, path: tuple[str, ...], seen: Calls) -> bool:
    """Whether the field is one of a part that is never called, going by the names: `head` for `head_config`."""
    for word in path[:-1]:
        named = [name for name, _ in module.named_modules() if name.rpartition(".")[2] == word.removesuffix("_config")]
        if named and all(seen.idle(name) for name in named):
            return True
    return False


def _is_fed(path: tuple[str, ...], fed: set[Modality]) -> bool:
    """Whether the recipe feeds the part of the model that this field belongs to."""
    return all(not re.search(pattern, ".".join(path[:-1])) or fed & modalities for pattern, modalities in PARTS)


def _fields(config: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Paths of the fields that must matter, each with another value."""
    for name, value in vars(config).items():
        if hasattr(value, "model_type") and hasattr(value, "to_dict"):
            yield from _fields(value, (*above, name))
            continue
        if name == "rope_parameters" and not _rotates(config):
            continue
        for pattern, change in CHANGES:
            if re.fullmatch(pattern, name) and value is not None and (other := change(value)) is not None:
                yield (*above, name), other


def _rotates(config: Any) -> bool:
    """Whether positions are told by rotation, with the same base for all layers."""
    if hasattr(config, _BY_LAYER) or not getattr(config, _SWITCH, True):
        return False
    return bool(getattr(config, _POSITIONS, "rope") == "rope")


def _built_again(module: torch.nn.Module, config: Any) -> torch.nn.Module | None:
    """A model of that configuration with the module's weights; None where they do not fit: the field is a size."""
    from transformers.initialization import no_init_weights

    with no_init_weights():
        made: torch.nn.Module = type(module)(copy.deepcopy(config))
        sessions.attach(made)
    shapes = {name: value.shape for name, value in made.state_dict().items()}
    if any(shapes.get(name, value.shape) != value.shape for name, value in module.state_dict().items()):
        return None
    made.load_state_dict(module.state_dict(), strict=False)
    return made.to(next(module.parameters()).device).eval()


def _outputs(trial: Trial, module: torch.nn.Module) -> Outputs:
    with chosen_by(module) as choices:
        return {**flatten(call_seeded(module, arguments(trial, trial.inputs))), **choices()}
