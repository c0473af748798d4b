"""time_series_transformer: TimeSeriesTransformerModel, a time-series model, built tiny and really run.

A model that forecasts. Asked here: does the past matter, and does each series keep its forecast among others?

Made by: muster generate time_series_transformer
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=time_series_transformer class=TimeSeriesTransformerModel standalone=no checks=all recipe=f497674ec0963194 sha256=3bf618764b982bd1

import pytest
import torch
import transformers

pytestmark = [
    pytest.mark.time_series,
    pytest.mark.muster(model_type="time_series_transformer", model_class="TimeSeriesTransformerModel"),
]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding
OUTPUTS = ["last_hidden_state", "encoder_last_hidden_state", "loc", "scale", "static_features"]


@pytest.fixture(scope="module")
def model():
    """8,832 random weights, drawn larger than the library draws them: with its own, faults hide."""
    config = transformers.TimeSeriesTransformerConfig(
        lags_sequence=[1, 2, 3, 4, 5, 6, 7], encoder_ffn_dim=8, decoder_ffn_dim=8, d_model=16, prediction_length=8
    )
    torch.manual_seed(0)
    model = transformers.TimeSeriesTransformerModel(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: time-series."""
    torch.manual_seed(0)
    return {
        "past_values": torch.randn(2, 15),
        "past_time_features": torch.empty(2, 15, 0),
        "past_observed_mask": torch.ones(2, 15),
        "future_values": torch.randn(2, 8),
        "future_time_features": torch.empty(2, 8, 0),
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
    assert outputs["last_hidden_state"].shape == (2, 8, 16)
    assert outputs["encoder_last_hidden_state"].shape == (2, 8, 16)
    assert outputs["loc"].shape == (2, 1)
    assert outputs["scale"].shape == (2, 1)
    assert outputs["static_features"].shape == (2, 2)
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


def test_past_values_matter(muster_run, inputs):
    """Other past_values (time-series) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "past_values": inputs["past_values"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in OUTPUTS) > NOISE


def test_future_values_matter(muster_run, inputs):
    """Other future_values (time-series) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "future_values": inputs["future_values"].flip(-1)})
    assert max(difference(after[name], before[name]) for name in OUTPUTS) > NOISE


def test_batch_invariance(muster_run, inputs):
    """Each row gives alone what it gives among others."""
    together = muster_run(inputs)
    for row in range(2):
        alone = muster_run({name: value[row : row + 1] for name, value in inputs.items()})
        for name in OUTPUTS:
            assert difference(alone[name], together[name][row : row + 1]) < TOLERANCE, name


def test_gradients(muster_module, inputs):
    """Finite gradients reach at least half of the weights."""
    outputs = call(muster_module, inputs, gradients=True)
    loss = sum(
        (outputs[name] * torch.rand_like(outputs[name])).sum()
        for name in ["last_hidden_state", "encoder_last_hidden_state"]
    )
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
