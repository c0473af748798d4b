"""Tiny real transformers models made by hand, for the tests of numerics, checks and targets."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from modelmuster.contracts import Session
from modelmuster.recipes.subject import TorchSubject
from modelmuster.recipes.weights import fill
from modelmuster.records import Architecture, Family, Modality, ModelClass, Recipe, Scale, Stage, TensorSpec, Trait
from modelmuster.runs.trial import CellTrial
from modelmuster.targets.torch_eager import TorchCpu

TEXT = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}

TOWER = {key: TEXT[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")}


_kept = tempfile.TemporaryDirectory(prefix="muster-test-exports-")
EXPORTS = Path(_kept.name)
"""Exports of these models, shared by all tests of a session: making one takes seconds."""


def ids(rows: int = 2, length: int = 12, vocabulary: int = 99) -> np.ndarray:
    """Token ids without the lowest three, which configs use as special tokens."""
    return np.random.default_rng(0).integers(3, vocabulary, (rows, length))


def noise(*shape: int) -> np.ndarray:
    """Standard normal float32 numbers."""
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def subject(
    module: torch.nn.Module,
    inputs: Mapping[str, Any],
    *,
    family: Family = Family.OTHER,
    modalities: tuple[Modality, ...] = (Modality.TEXT,),
    tasks: tuple[str, ...] = (),
    traits: tuple[Trait, ...] = (),
    config: dict[str, Any] | None = None,
    seed: int | None = 0,
) -> TorchSubject:
    """A subject around a module; its weights drawn as recipes draw them, unless `seed` is None."""
    name = type(module).__name__
    if seed is not None:
        fill(module, seed)
    return TorchSubject(
        architecture=Architecture(
            model_type="tiny",
            config_class=f"{name}Config",
            module=type(module).__module__,
            family=family,
            top_level=True,
            traits=traits,
            modalities=modalities,
            model_classes=(ModelClass(name=name, tasks=tasks),),
            default_class=name,
        ),
        recipe=Recipe(
            model_type="tiny",
            model_class=name,
            scale=Scale.TINY,
            seed=0,
            config=config or {},
            inputs=tuple(
                TensorSpec(name=key, shape=value.shape, dtype=value.dtype.name)
                for key, value in inputs.items()
                if isinstance(value, np.ndarray)
            ),
            layout="by hand",
            modalities=modalities,
            parameters=sum(parameter.numel() for parameter in module.parameters()),
        ),
        inputs=dict(inputs),
        module=module.eval(),
    )


def built(model_class: type, config_class: type, **config: Any) -> torch.nn.Module:
    """A transformers model of that config, in eval mode."""
    torch.manual_seed(0)
    return model_class(config_class(**config)).eval()


def bert(**changed: Any) -> TorchSubject:
    """An encoder with a padded row."""
    module = built(transformers.BertModel, transformers.BertConfig, **{**TEXT, **changed})
    mask = np.ones((2, 12), np.int64)
    mask[1, -3:] = 0
    tokens = ids() * mask
    return subject(
        module,
        {"input_ids": tokens, "attention_mask": mask},
        family=Family.ENCODER_ONLY,
        tasks=("BASE",),
        config=dict(TEXT),
    )


def llama(**changed: Any) -> TorchSubject:
    """A decoder with grouped key-value heads."""
    config = {**TEXT, "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, **changed}
    return subject(
        built(transformers.LlamaForCausalLM, transformers.LlamaConfig, **config),
        {"input_ids": ids(), "attention_mask": np.ones((2, 12), np.int64)},
        family=Family.DECODER_ONLY,
        tasks=("CAUSAL_LM",),
        traits=(Trait.GENERATIVE,),
        config=config,
    )


def t5() -> TorchSubject:
    """An encoder-decoder with a padded row."""
    config = {"vocab_size": 99, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
    config |= {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    mask = np.ones((2, 12), np.int64)
    mask[1, -3:] = 0
    return subject(
        built(transformers.T5ForConditionalGeneration, transformers.T5Config, **config),
        {"input_ids": ids() * mask, "attention_mask": mask, "decoder_input_ids": ids(2, 7)},
        family=Family.ENCODER_DECODER,
        tasks=("SEQ_TO_SEQ_CAUSAL_LM",),
        traits=(Trait.ENCODER_DECODER, Trait.GENERATIVE),
        config=config,
    )


def vit() -> TorchSubject:
    """A vision transformer."""
    config = {
        key: TEXT[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    }
    config |= {"image_size": 32, "patch_size": 8}
    return subject(
        built(transformers.ViTModel, transformers.ViTConfig, **config),
        {"pixel_values": noise(2, 3, 32, 32)},
        family=Family.VISION,
        modalities=(Modality.IMAGE,),
        config=config,
    )


def clip() -> TorchSubject:
    """Two towers, text and image."""
    text = {**TOWER, "vocab_size": 99, "max_position_embeddings": 32, "bos_token_id": 0, "eos_token_id": 2}
    vision = {**TOWER, "image_size": 32, "patch_size": 8}
    tokens = ids()
    tokens[:, -1] = 2
    return subject(
        built(
            transformers.CLIPModel, transformers.CLIPConfig, text_config=text, vision_config=vision, projection_dim=16
        ),
        {"input_ids": tokens, "attention_mask": np.ones((2, 12), np.int64), "pixel_values": noise(2, 3, 32, 32)},
        family=Family.VISION_TEXT,
        modalities=(Modality.TEXT, Modality.IMAGE),
        config={"text_config": text, "vision_config": vision},
    )


def mixtral() -> TorchSubject:
    """A decoder with a mixture of experts."""
    config = {**TEXT, "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2}
    return subject(
        built(transformers.MixtralForCausalLM, transformers.MixtralConfig, **config),
        {"input_ids": ids(), "attention_mask": np.ones((2, 12), np.int64)},
        family=Family.DECODER_ONLY,
        tasks=("CAUSAL_LM",),
        traits=(Trait.MIXTURE_OF_EXPERTS, Trait.GENERATIVE),
        config=config,
    )


def trial(of: TorchSubject, *, dtype: str = "float32", session: Session | None = None) -> CellTrial:
    """The subject opened on torch:cpu, or on a session of the test's own."""
    opened = session or TorchCpu().open(of, dtype, _ignore)
    return CellTrial(of, opened, target="torch:cpu", dtype=dtype, entering=_ignore)


def _ignore(stage: Stage) -> None:
    assert isinstance(stage, Stage)
