"""bert: BertForMaskedLM, an encoder-only model, built tiny and really run.

An encoder reads a text in both directions. Asked here: does it see the whole text, and nothing that the mask hides?

Made by: muster generate bert
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=bert class=BertForMaskedLM standalone=no checks=all recipe=bf24a1638a13b3f4 sha256=4ccb1c63e2041d65

import copy

import pytest
import torch
import transformers

pytestmark = [pytest.mark.encoder_only, pytest.mark.muster(model_type="bert", model_class="BertForMaskedLM")]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """22,496 random weights, drawn larger than the library draws them: with its own, faults hide."""
    config = transformers.BertConfig(
        vocab_size=128,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    torch.manual_seed(0)
    model = transformers.BertForMaskedLM(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    return model


@pytest.fixture
def inputs():
    """The arguments of one call: text."""
    return {
        "input_ids": torch.tensor(
            [[121, 41, 108, 11, 5, 77, 66, 93, 48, 114, 57, 67], [25, 14, 2, 79, 111, 86, 90, 27, 38, 127, 8, 110]]
        ),
        "attention_mask": torch.ones(2, 12, dtype=torch.int64),
        "token_type_ids": torch.tensor([[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]]),
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
    assert outputs["logits"].shape == (2, 12, 128)
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


def test_padding(muster_run, inputs):
    """What the attention mask hides on the right has no influence, and would have some without the mask."""
    mask = torch.ones_like(inputs["attention_mask"])
    mask[:, -3:] = 0
    other = inputs["input_ids"].clone()
    other[:, -3:] = inputs["input_ids"][:, 4:7].flip(1)
    hidden = muster_run({**inputs, "attention_mask": mask})["logits"][:, :-3]
    changed = muster_run({**inputs, "attention_mask": mask, "input_ids": other})["logits"][:, :-3]
    seen = muster_run({**inputs, "attention_mask": torch.ones_like(mask)})["logits"][:, :-3]
    assert difference(changed, hidden) < TOLERANCE
    assert difference(seen, hidden) > NOISE


def test_bidirectional(muster_run, inputs):
    """Later tokens change the answer for the first one, and earlier tokens that for the last."""
    before = muster_run(inputs)["logits"]
    for place, looked_at in ((slice(4, None), 0), (slice(None, -4), -1)):
        other = inputs["input_ids"].clone()
        other[:, place] = other[:, place].flip(0)
        after = muster_run({**inputs, "input_ids": other})["logits"]
        assert difference(after[:, looked_at], before[:, looked_at]) > NOISE


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
