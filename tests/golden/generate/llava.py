"""llava: LlavaForConditionalGeneration, a vision-text model, built tiny and really run.

A model of images or clips with text. Asked here: do both matter, and do the two agree on what belongs together?

Made by: muster generate llava
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=llava class=LlavaForConditionalGeneration standalone=no checks=all recipe=82c875fec8e30af5 sha256=96f3945308d50613

import copy

import pytest
import torch
import transformers

pytestmark = [
    pytest.mark.vision_text,
    pytest.mark.muster(model_type="llava", model_class="LlavaForConditionalGeneration"),
]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """57,248 random weights, drawn larger than the library draws them: with its own, faults hide."""
    # fmt: off
    config = transformers.LlavaConfig(
        image_token_index=127, image_seq_length=128,
        vision_config={
            "vocab_size": 32000, "hidden_size": 32, "intermediate_size": 32, "projection_dim": 32,
            "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 56, "patch_size": 14,
            "model_type": "clip_vision_model",
        },
        text_config={
            "vocab_size": 128, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 4, "max_position_embeddings": 128, "num_key_value_heads": 4, "model_type": "llama",
        },
    )
    # fmt: on
    torch.manual_seed(0)
    model = transformers.LlavaForConditionalGeneration(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: text, image."""
    torch.manual_seed(0)
    return {
        "input_ids": torch.tensor(
            [
                [31, 44, 8, 45, 18, 68] + [127] * 16 + [107, 37, 78, 85, 61, 115],
                [125, 109, 125, 12, 116, 20] + [127] * 16 + [59, 68, 97, 58, 4, 31],
            ]
        ),
        "pixel_values": torch.randn(2, 3, 56, 56),
        "attention_mask": torch.ones(2, 28, dtype=torch.int64),
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
    assert outputs["logits"].shape == (2, 28, 128)
    assert outputs["image_hidden_states"].shape == (32, 32)
    assert not any(tensor.isnan().any() for tensor in outputs.values())


def test_reference(muster_run, muster_reference, inputs):
    """The target gives what exact arithmetic gives: float64 on the CPU."""
    outputs, expected = muster_run(inputs), muster_reference(inputs)
    assert difference(outputs["logits"], expected["logits"]) < TOLERANCE
    assert difference(outputs["image_hidden_states"], expected["image_hidden_states"]) < TOLERANCE


def test_determinism(muster_module, inputs):
    """In eval mode nothing is left to chance: no dropout, whatever the seed."""
    first, second = call(muster_module, inputs, seed=0), call(muster_module, inputs, seed=1)
    assert torch.equal(first["logits"], second["logits"])
    assert torch.equal(first["image_hidden_states"], second["image_hidden_states"])


def test_input_ids_matter(muster_run, inputs):
    """Other input_ids (text) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "input_ids": inputs["input_ids"].flip(0)})
    assert max(difference(after[name], before[name]) for name in ["logits", "image_hidden_states"]) > NOISE


def test_pixel_values_matter(muster_run, inputs):
    """Other pixel_values (image) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "pixel_values": inputs["pixel_values"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in ["logits", "image_hidden_states"]) > NOISE


def test_causality(muster_run, inputs):
    """Later tokens change what comes after them and nothing before."""
    other = inputs["input_ids"].clone()
    other[:, 14:] = other[:, 14:].flip(0)
    before = muster_run(inputs)["logits"]
    after = muster_run({**inputs, "input_ids": other})["logits"]
    assert difference(after[:, :14], before[:, :14]) < TOLERANCE
    assert difference(after[:, 14:], before[:, 14:]) > NOISE


def test_batch_invariance(muster_run, inputs):
    """Each row gives alone what it gives among others."""
    together = muster_run(inputs)
    for row in range(2):
        alone = muster_run({name: value[row : row + 1] for name, value in inputs.items()})
        assert difference(alone["logits"], together["logits"][row : row + 1]) < TOLERANCE


def test_attention_implementation(muster_module, inputs):
    """Eager and fused attention give the same answer."""
    eager, fused = copy.deepcopy(muster_module), copy.deepcopy(muster_module)
    eager.set_attn_implementation("eager")
    fused.set_attn_implementation("sdpa")
    expected, got = call(eager, inputs), call(fused, inputs)
    assert difference(got["logits"], expected["logits"]) < TOLERANCE
    assert difference(got["image_hidden_states"], expected["image_hidden_states"]) < TOLERANCE


def test_gradients(muster_module, inputs):
    """Finite gradients reach at least half of the weights."""
    outputs = call(muster_module, inputs, gradients=True)
    loss = sum((outputs[name] * torch.rand_like(outputs[name])).sum() for name in ["logits", "image_hidden_states"])
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
