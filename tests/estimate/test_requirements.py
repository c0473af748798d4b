"""Estimates against what PyTorch itself counts on real, small models."""

import json

import pytest
import torch
import typer
from transformers import LlamaConfig, LlamaForCausalLM
from typer.testing import CliRunner

from modelmuster import catalog
from modelmuster.cli.estimate import estimate as command
from modelmuster.errors import UnknownName, UsageError
from modelmuster.estimate.requirements import estimate

SMALL = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}

app = typer.Typer()
app.command()(command)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint without weights: its config says enough."""
    made = tmp_path_factory.mktemp("small")
    LlamaConfig(**SMALL, architectures=["LlamaForCausalLM"]).save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def found(folder):
    return estimate(
        catalog.load().get("llama"), "LlamaForCausalLM", folder=folder, dtype="float32", batch=2, context=40
    )


def test_parameters_and_weights_are_those_of_the_real_model(found):
    real = LlamaForCausalLM(LlamaConfig(**SMALL))
    assert found.parameters == sum(parameter.numel() for parameter in real.parameters())
    assert found.weight_bytes["float32"] == 4 * found.parameters
    assert found.weight_bytes["int4"] == found.parameters // 2


def test_the_cache_is_that_of_the_real_model(found):
    real = LlamaForCausalLM(LlamaConfig(**SMALL)).eval()
    with torch.no_grad():
        cache = real(torch.zeros(2, 40, dtype=torch.long), use_cache=True).past_key_values
    held = sum(part.nbytes for layer in cache.layers for part in (layer.keys, layer.values))
    assert found.cache_bytes == held
    assert found.cache_bytes_per_token == held / 2 / 40


def test_activations_hold_at_least_the_logits_and_at_most_everything(found):
    logits = 2 * 40 * SMALL["vocab_size"] * 4
    assert logits <= found.activation_bytes < 100 * logits


def test_a_larger_batch_and_context_need_more(found, folder):
    larger = estimate(
        catalog.load().get("llama"), "LlamaForCausalLM", folder=folder, dtype="float32", batch=4, context=80
    )
    assert larger.cache_bytes == 4 * found.cache_bytes
    assert larger.activation_bytes > found.activation_bytes
    assert larger.parameters == found.parameters


def test_a_model_of_seven_billion_parameters_is_estimated_without_its_memory():
    found = estimate(catalog.load().get("llama"), "LlamaForCausalLM", context=64)
    assert found.parameters > 6e9
    assert found.total_bytes > 12 * 2**30


def test_what_takes_no_text_says_why_a_figure_is_missing():
    found = estimate(catalog.load().get("vit"), "ViTForImageClassification")
    assert found.parameters > 8e7
    assert found.cache_bytes is None
    assert found.activation_bytes is None
    assert any("forward pass on shapes alone fails" in note for note in found.notes)


def test_the_command_prints_words_or_data(folder):
    done = CliRunner().invoke(app, [str(folder), "--dtype", "float32", "--context", "40"])
    assert done.exit_code == 0, done.output
    assert "estimated from shapes" in done.stdout
    assert "it fits" in done.stdout
    data = json.loads(CliRunner().invoke(app, [str(folder), "--json"]).stdout)
    assert (
        data["total_bytes"]
        == sum(data["estimate"][name] for name in ("cache_bytes", "activation_bytes"))
        + data["estimate"]["weight_bytes"]["bfloat16"]
    )


@pytest.mark.parametrize(
    ("arguments", "error"), [(["no-such-type"], UnknownName), (["llama", "--dtype", "float7"], UsageError)]
)
def test_bad_input_is_refused(arguments, error):
    assert isinstance(CliRunner().invoke(app, arguments).exception, error)
