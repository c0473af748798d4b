"""phi4_multimodal: Phi4MultimodalForCausalLM, an any-to-any model, built tiny and really run.

A model of several kinds of data in one call. Asked here: does each of them matter?

Made by: muster generate phi4_multimodal
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=phi4_multimodal class=Phi4MultimodalForCausalLM standalone=no checks=all recipe=64ce1451345e2620 sha256=f2e2967a7baaa45f

import copy

import pytest
import torch
import transformers

pytestmark = [
    pytest.mark.any_to_any,
    pytest.mark.muster(model_type="phi4_multimodal", model_class="Phi4MultimodalForCausalLM"),
]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """115,712 random weights, drawn larger than the library draws them: with its own, faults hide."""
    # fmt: off
    config = transformers.Phi4MultimodalConfig(
        vocab_size=128, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, original_max_position_embeddings=128, bos_token_id=125,
        eos_token_id=[125, 124], pad_token_id=125,
        vision_config={
            "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "image_size": 56, "crop_size": 56, "image_token_id": 127, "model_type": "phi4_multimodal_vision",
        },
        audio_config={
            "hidden_size": 32, "intermediate_size": 32, "num_blocks": 2, "num_attention_heads": 4,
            "ext_pw_out_channel": 32, "depthwise_separable_out_channel": 32, "input_size": 64, "nemo_conv_channels": 32,
            "audio_token_id": 126, "model_type": "phi4_multimodal_audio",
        },
    )
    # fmt: on
    torch.manual_seed(0)
    model = transformers.Phi4MultimodalForCausalLM(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: text, image, audio."""
    torch.manual_seed(0)
    return {
        "input_ids": torch.tensor(
            [
                [21, 105, 98, 55] + [127] * 13 + [93, 66, 69, 63] + [126] * 12 + [65, 20, 112, 77],
                [82, 37, 87, 18] + [127] * 13 + [103, 91, 34, 95] + [126] * 12 + [17, 99, 62, 89],
            ]
        ),
        "attention_mask": torch.ones(2, 37, dtype=torch.int64),
        "image_pixel_values": torch.randn(2, 2, 3, 56, 56),
        "image_sizes": torch.full((2, 2), 56, dtype=torch.int64),
        "image_attention_mask": torch.ones(2, 2, 4, 4, dtype=torch.int64),
        "audio_input_features": torch.randn(2, 96, 64),
        "audio_embed_sizes": torch.full((2,), 12, dtype=torch.int64),
        "audio_attention_mask": torch.ones(2, 96, dtype=torch.bool),
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
    assert outputs["logits"].shape == (2, 37, 128)
    assert not outputs["logits"].isnan().any()


def test_reference(muster_run, muster_reference, inputs):
    """The target gives what exact arithmetic gives: float64 on the CPU."""
    outputs, expected = muster_run(inputs), muster_reference(inputs)
    assert difference(outputs["logits"], expected["logits"]) < TOLERANCE


def test_determinism(muster_module, inputs):
    """In eval mode nothing is left to chance: no dropout, whatever the seed."""
    first, second = call(muster_module, inputs, seed=0), call(muster_module, inputs, seed=1)
    assert torch.equal(first["logits"], second["logits"])


def test_input_ids_matter(muster_run, inputs):
    """Other input_ids (text) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "input_ids": inputs["input_ids"].flip(0)})
    assert difference(after["logits"], before["logits"]) > NOISE


def test_image_pixel_values_matter(muster_run, inputs):
    """Other image_pixel_values (image) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "image_pixel_values": inputs["image_pixel_values"].flip(-1)})
    assert difference(after["logits"], before["logits"]) > NOISE


def test_audio_input_features_matter(muster_run, inputs):
    """Other audio_input_features (audio) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "audio_input_features": inputs["audio_input_features"].flip(-1)})
    assert difference(after["logits"], before["logits"]) > NOISE


def test_causality(muster_run, inputs):
    """Later tokens change what comes after them and nothing before."""
    other = inputs["input_ids"].clone()
    other[:, 18:] = other[:, 18:].flip(0)
    before = muster_run(inputs)["logits"]
    after = muster_run({**inputs, "input_ids": other})["logits"]
    assert difference(after[:, :18], before[:, :18]) < TOLERANCE
    assert difference(after[:, 18:], before[:, 18:]) > NOISE


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
