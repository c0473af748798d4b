"""wav2vec2: Wav2Vec2ForCTC, an audio model, built tiny and really run.

A model of sound. Asked here: does the sound matter, and does each recording keep its answer among others?

Made by: muster generate wav2vec2
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=wav2vec2 class=Wav2Vec2ForCTC standalone=no checks=all recipe=744b429949cd5435 sha256=88fb177f013c2b1d

import copy

import pytest
import torch
import transformers

pytestmark = [pytest.mark.audio, pytest.mark.muster(model_type="wav2vec2", model_class="Wav2Vec2ForCTC")]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """40,208 random weights, drawn larger than the library draws them: with its own, faults hide."""
    # fmt: off
    config = transformers.Wav2Vec2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32,
        conv_dim=[32, 32, 32, 32, 32, 32, 32], conv_stride=[5, 2, 2, 2, 2, 2, 2], conv_kernel=[10, 3, 3, 3, 3, 2, 2],
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, codevector_dim=32, proj_codevector_dim=32,
        classifier_proj_size=32, tdnn_dim=[32, 32, 32, 32, 32], tdnn_kernel=[5, 3, 3, 1, 1],
        tdnn_dilation=[1, 2, 3, 1, 1], xvector_output_dim=32, num_adapter_layers=2, output_hidden_size=32,
    )
    # fmt: on
    torch.manual_seed(0)
    model = transformers.Wav2Vec2ForCTC(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: audio."""
    torch.manual_seed(0)
    return {
        "input_values": torch.randn(2, 3200),
        "attention_mask": torch.ones(2, 3200, dtype=torch.int64),
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
    assert outputs["logits"].shape == (2, 9, 32)
    assert not outputs["logits"].isnan().any()


def test_reference(muster_run, muster_reference, inputs):
    """The target gives what exact arithmetic gives: float64 on the CPU."""
    outputs, expected = muster_run(inputs), muster_reference(inputs)
    assert difference(outputs["logits"], expected["logits"]) < TOLERANCE


def test_determinism(muster_module, inputs):
    """In eval mode nothing is left to chance: no dropout, whatever the seed."""
    first, second = call(muster_module, inputs, seed=0), call(muster_module, inputs, seed=1)
    assert torch.equal(first["logits"], second["logits"])


def test_input_values_matter(muster_run, inputs):
    """Other input_values (audio) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "input_values": inputs["input_values"].flip(-1)})
    assert difference(after["logits"], before["logits"]) > NOISE


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
