"""decision_transformer: DecisionTransformerModel, an other model, built tiny and really run.

A model of numbers of its own kind. Asked here: does each input matter, and does each row keep its answer?

Made by: muster generate decision_transformer
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=decision_transformer class=DecisionTransformerModel standalone=no checks=all recipe=e436c2ef19bcb6f7 sha256=e10fe48eb04ff4ec

import copy

import pytest
import torch
import transformers

pytestmark = [
    pytest.mark.other,
    pytest.mark.muster(model_type="decision_transformer", model_class="DecisionTransformerModel"),
]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding
OUTPUTS = ["state_preds", "action_preds", "return_preds", "last_hidden_state"]


@pytest.fixture(scope="module")
def model():
    """35,286 random weights, drawn larger than the library draws them: with its own, faults hide."""
    config = transformers.DecisionTransformerConfig(
        hidden_size=32, max_ep_len=128, n_positions=128, n_layer=2, bos_token_id=127, eos_token_id=127
    )
    torch.manual_seed(0)
    model = transformers.DecisionTransformerModel(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: tabular."""
    torch.manual_seed(0)
    return {
        "states": torch.randn(2, 8, 17),
        "actions": torch.randn(2, 8, 4),
        "returns_to_go": torch.randn(2, 8, 1),
        "timesteps": torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7]]),
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
    assert outputs["state_preds"].shape == (2, 8, 17)
    assert outputs["action_preds"].shape == (2, 8, 4)
    assert outputs["return_preds"].shape == (2, 8, 1)
    assert outputs["last_hidden_state"].shape == (2, 24, 32)
    assert not any(tensor.isnan().any() for tensor in outputs.values())


def test_reference(muster_run, muster_reference, inputs):
    """The target gives what exact arithmetic gives: float64 on the CPU."""
    outputs, expected = muster_run(inputs), muster_reference(inputs)
    for name in OUTPUTS:
        assert difference(outputs[name], expected[name]) < TOLERANCE, name


def test_determinism(muster_module, inputs):
    """In eval mode nothing is left to chance: no dropout, whatever the seed."""
    first, second = call(muster_module, inputs, seed=0), call(muster_module, inputs, seed=1)
    for name in OUTPUTS:
        assert torch.equal(first[name], second[name]), name


def test_states_matter(muster_run, inputs):
    """Other states (tabular) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "states": inputs["states"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in OUTPUTS) > NOISE


def test_actions_matter(muster_run, inputs):
    """Other actions (tabular) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "actions": inputs["actions"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in OUTPUTS) > NOISE


def test_returns_to_go_matter(muster_run, inputs):
    """Other returns_to_go (tabular) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "returns_to_go": inputs["returns_to_go"].flip(0)})
    assert max(difference(after[name], before[name]) for name in OUTPUTS) > NOISE


def test_timesteps_matter(muster_run, inputs):
    """Other timesteps (tabular) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "timesteps": inputs["timesteps"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in OUTPUTS) > NOISE


def test_batch_invariance(muster_run, inputs):
    """Each row gives alone what it gives among others."""
    together = muster_run(inputs)
    for row in range(2):
        alone = muster_run({name: value[row : row + 1] for name, value in inputs.items()})
        for name in OUTPUTS:
            assert difference(alone[name], together[name][row : row + 1]) < TOLERANCE, name


def test_attention_implementation(muster_module, inputs):
    """Eager and fused attention give the same answer."""
    eager, fused = copy.deepcopy(muster_module), copy.deepcopy(muster_module)
    eager.set_attn_implementation("eager")
    fused.set_attn_implementation("sdpa")
    expected, got = call(eager, inputs), call(fused, inputs)
    for name in OUTPUTS:
        assert difference(got[name], expected[name]) < TOLERANCE, name


def test_gradients(muster_module, inputs):
    """Finite gradients reach at least half of the weights."""
    outputs = call(muster_module, inputs, gradients=True)
    loss = sum((outputs[name] * torch.rand_like(outputs[name])).sum() for name in OUTPUTS)
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
