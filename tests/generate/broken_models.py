"""A pytest plug-in that breaks models in memory, one fault for each architecture of a round.

Loaded with `-p broken_models`, the round is named by the environment variable BROKEN.
"""

import functools
import importlib
import os

import torch


def pytest_configure():
    """Break what the round names."""
    for break_model in ROUNDS.get(os.environ.get("BROKEN", ""), {}).values():
        break_model[0]()


def modelling(model_type, name):
    """A class of that architecture's modelling code."""
    module = importlib.import_module(f"transformers.models.{model_type}.modeling_{model_type}")
    return getattr(module, name)


def wrapped(model_type, name, around, method="forward"):
    """A function that replaces a method by `around(original, self, *args, **kwargs)`."""

    def break_it():
        cls = modelling(model_type, name)
        original = getattr(cls, method)

        @functools.wraps(original)
        def broken(self, *args, **kwargs):
            return around(original, self, *args, **kwargs)

        setattr(cls, method, broken)

    return break_it


def without(argument, replacement=lambda value: None):
    """The call with one keyword argument replaced."""

    def around(original, self, *args, **kwargs):
        if kwargs.get(argument) is not None:
            kwargs[argument] = replacement(kwargs[argument])
        return original(self, *args, **kwargs)

    return around


def returning(change):
    """The call with its tensor changed."""
    return lambda original, self, *args, **kwargs: change(original(self, *args, **kwargs))


def both_ways(original, self, *args, **kwargs):
    self.is_causal = False
    return original(self, *args, **{**kwargs, "attention_mask": None})


def last_frame_lost(original, self, pixel_values, *args, **kwargs):
    return original(self, torch.cat([pixel_values[:, :-1], pixel_values[:, :1]], 1), *args, **kwargs)


def positions_restart(original, self, x, position_ids, *args, **kwargs):
    return original(self, x, position_ids - position_ids[:, :1], *args, **kwargs)


def without_gradients(original, self, hidden_states, *args, **kwargs):
    with torch.no_grad():
        return original(self, hidden_states, *args, **kwargs)


def wrong_scale_in_sdpa():
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    original = ALL_ATTENTION_FUNCTIONS["sdpa"]

    def broken(module, query, *args, **kwargs):
        return original(module, query * 1.1 if type(module).__name__.startswith("ViT") else query, *args, **kwargs)

    ALL_ATTENTION_FUNCTIONS["sdpa"] = broken


def head_not_saved():
    modelling("wav2vec2", "Wav2Vec2ForCTC")._keys_to_ignore_on_save = ["lm_head.weight"]


def sum_over_batch(tensor):
    return tensor - tensor.mean(0, keepdim=True)


ROUNDS = {
    "first": {
        "bert": (wrapped("bert", "BertModel", without("attention_mask")), "test_padding"),
        "llama": (wrapped("llama", "LlamaAttention", both_ways), "test_causality"),
        "t5": (
            wrapped("t5", "T5Stack", without("encoder_hidden_states", torch.zeros_like)),
            "test_encoder_reaches_decoder",
        ),
        "vit": (wrapped("vit", "ViTEmbeddings", returning(sum_over_batch)), "test_batch_invariance"),
        "vivit": (wrapped("vivit", "VivitEmbeddings", last_frame_lost), "test_last_frame_matters"),
        "wav2vec2": (
            wrapped("wav2vec2", "Wav2Vec2FeatureEncoder", returning(torch.zeros_like)),
            "test_input_values_matter",
        ),
        "llava": (
            wrapped("llava", "LlavaMultiModalProjector", returning(torch.zeros_like)),
            "test_pixel_values_matter",
        ),
        "qwen2_audio": (
            wrapped("qwen2_audio", "Qwen2AudioMultiModalProjector", returning(torch.zeros_like)),
            "test_input_features_matter",
        ),
        "phi4_multimodal": (
            wrapped("phi4_multimodal", "Phi4MultimodalAudioModel", returning(torch.zeros_like)),
            "test_audio_input_features_matter",
        ),
        "time_series_transformer": (
            wrapped("time_series_transformer", "TimeSeriesTransformerModel", without("past_values", torch.zeros_like)),
            "test_past_values_matter",
        ),
        "decision_transformer": (
            wrapped("decision_transformer", "DecisionTransformerModel", without("actions", torch.zeros_like)),
            "test_actions_matter",
        ),
    },
    "second": {
        "bert": (
            wrapped("bert", "BertEmbeddings", returning(lambda x: torch.nn.functional.dropout(x, 0.1))),
            "test_determinism",
        ),
        "llama": (wrapped("llama", "LlamaRotaryEmbedding", positions_restart), "test_cache"),
        "vit": (wrong_scale_in_sdpa, "test_attention_implementation"),
        "vivit": (wrapped("vivit", "VivitLayer", without_gradients), "test_gradients"),
        "wav2vec2": (head_not_saved, "test_save_load"),
        "llava": (
            wrapped("llava", "LlavaMultiModalProjector", returning(lambda x: x + float("nan"))),
            "test_forward",
        ),
        "qwen2_audio": (
            wrapped("qwen2_audio", "Qwen2AudioMultiModalProjector", returning(lambda x: x.bfloat16().to(x.dtype))),
            "test_reference",
        ),
    },
}
"""By round and model type: what breaks the model, and the test that must notice."""
