"""qwen2_audio: Qwen2AudioForConditionalGeneration, an audio-text model, built tiny and really run.

A model of sound with text. Asked here: do both matter?

Made by: muster generate qwen2_audio
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=qwen2_audio class=Qwen2AudioForConditionalGeneration standalone=no checks=all recipe=02287730f5263f2b sha256=f4d3d9770adbf610

import copy

import pytest
import torch
import transformers

pytestmark = [
    pytest.mark.audio_text,
    pytest.mark.muster(model_type="qwen2_audio", model_class="Qwen2AudioForConditionalGeneration"),
]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """56,384 random weights, drawn larger than the library draws them: with its own, faults hide."""
    # fmt: off
    config = transformers.Qwen2AudioConfig(
        audio_token_index=127,
        audio_config={
            "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 32, "d_model": 32,
            "max_source_positions": 128, "model_type": "qwen2_audio_encoder",
        },
        text_config={
            "vocab_size": 128, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 4, "max_position_embeddings": 128,
            "layer_types": ["full_attention", "full_attention"], "max_window_layers": 1, "model_type": "qwen2",
        },
    )
    # fmt: on
    torch.manual_seed(0)
    model = transformers.Qwen2AudioForConditionalGeneration(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: text, audio."""
    torch.manual_seed(0)
    return {
        "input_ids": torch.tensor(
            [
                [87, 114, 86, 109, 102, 12] + [127] * 64 + [9, 9, 20, 5, 37, 17],
                [31, 73, 57, 102, 64, 100] + [127] * 64 + [115, 32, 101, 36, 32, 11],
            ]
        ),
        "input_features": torch.randn(2, 128, 256),
        "attention_mask": torch.ones(2, 76, dtype=torch.int64),
        "feature_attention_mask": torch.ones(2, 256, dtype=torch.bool),
    }


def call(module, inputs, seed=0, gradients=False):
    """The tensors that a module returns, by name."""
    torch.manual_seed(seed)
    placed = {name: value.to(module.device) for name, value in inputs.items()}
    with torch.set_grad_enabled(gradients):
        returned = module(**placed)
    return {name: value for name, value in returned.items() if isinstance(value, torch.Tensor)}


def difference(got, expected):
    """Size of the difference, as a share of the size of what is expected."""
    if got.shape != expected.shape:
        return float("inf")
    got, expected = got.cpu().double(), expected.cpu().double()
    return ((got - expected).norm() / expected.norm().clamp(min=1e-12)).item()


def test_forward(muster_run, inputs):
    """Every output has its shape and holds numbers."""
    outputs = muster_run(inputs)
    assert outputs["logits"].shape == (2, 76, 128)
    assert outputs["attention_mask"].shape == (2, 76)
    assert not any(tensor.isnan().any() for tensor in outputs.values())


def test_reference(muster_run, muster_reference, inputs):
    """The target gives what exact arithmetic gives: float64 on the CPU."""
    outputs, expected = muster_run(inputs), muster_reference(inputs)
    assert difference(outputs["logits"], expected["logits"]) < TOLERANCE


def test_determinism(muster_module, inputs):
    """In eval mode nothing is left to chance: no dropout, whatever the seed."""
    first, second = call(muster_module, inputs, seed=0), call(muster_module, inputs, seed=1)
    assert torch.equal(first["logits"], second["logits"])
    assert torch.equal(first["attention_mask"], second["attention_mask"])


def test_input_ids_matter(muster_run, inputs):
    """Other input_ids (text) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "input_ids": inputs["input_ids"].flip(0)})
    assert max(difference(after[name], before[name]) for name in ["logits", "attention_mask"]) > NOISE


def test_input_features_matter(muster_run, inputs):
    """Other input_features (audio) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "input_features": inputs["input_features"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in ["logits", "attention_mask"]) > NOISE


def test_causality(muster_run, inputs):
    """Later tokens change what comes after them and nothing before."""
    other = inputs["input_ids"].clone()
    other[:, 38:] = other[:, 38:].flip(0)
    before = muster_run(inputs)["logits"]
    after = muster_run({**inputs, "input_ids": other})["logits"]
    assert difference(after[:, :38], before[:, :38]) < TOLERANCE
    assert difference(after[:, 38:], before[:, 38:]) > NOISE


def test_batch_invariance(muster_run, inputs):
    """Each row gives alone what it gives among others."""
    together = muster_run(inputs)
    for row in range(2):
        alone = muster_run({name: value[row : row + 1] for name, value in inputs.items()})
        assert difference(alone["logits"], together["logits"][row : row + 1]) < TOLERANCE
        assert difference(alone["attention_mask"], together["attention_mask"][row : row + 1]) < TOLERANCE


def test_attention_implementation(muster_module, inputs):
    """Eager and fused attention give the same answer."""
    eager, fused = copy.deepcopy(muster_module), copy.deepcopy(muster_module)
    eager.set_attn_implementation("eager")
    fused.set_attn_implementation("sdpa")
    expected, got = call(eager, inputs), call(fused, inputs)
    assert difference(got["logits"], expected["logits"]) < TOLERANCE


def test_gradients(muster_module, inputs):
    """Finite gradients reach at least half of the weights."""
    outputs = call(muster_module, inputs, gradients=True)
    loss = (outputs["logits"] * torch.rand_like(outputs["logits"])).sum()
    weights = [weight for weight in muster_module.parameters() if weight.requires_grad]
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)
    reached = sum(gradient is not None and bool(gradient.any()) for gradient in gradients)
    assert reached >= len(weights) / 2


def test_save_load(muster_module, tmp_path):
    """What is saved is what is loaded."""
    muster_module.save_pretrained(tmp_path)
    loaded, report = type(muster_module).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    before, after = muster_module.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name].cpu(), after[name]) for name in before)
