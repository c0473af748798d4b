"""t5: T5ForConditionalGeneration, an encoder-decoder model, built tiny and really run.

An encoder reads, a decoder writes. Asked here: does the decoder look back only, and at all of the encoder but its
padding?

Made by: muster generate t5
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=t5 class=T5ForConditionalGeneration standalone=no checks=all recipe=61995bbd0913f0a1 sha256=269f5fdfab7b4380

import copy

import pytest
import torch
import transformers

pytestmark = [
    pytest.mark.encoder_decoder,
    pytest.mark.muster(model_type="t5", model_class="T5ForConditionalGeneration"),
]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """62,080 random weights, drawn larger than the library draws them: with its own, faults hide."""
    config = transformers.T5Config(vocab_size=128, d_model=32, d_kv=16, d_ff=32, num_layers=2, num_heads=4)
    torch.manual_seed(0)
    model = transformers.T5ForConditionalGeneration(config).float().eval()
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
            [[88, 115, 87, 110, 103, 13, 10, 10, 21, 6, 38, 18], [32, 74, 58, 103, 65, 101, 116, 33, 102, 37, 33, 12]]
        ),
        "attention_mask": torch.ones(2, 12, dtype=torch.int64),
        "decoder_input_ids": torch.tensor([[46, 76, 124, 38, 5, 110, 45], [67, 81, 60, 106, 51, 124, 51]]),
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
    assert outputs["logits"].shape == (2, 7, 128)
    assert outputs["encoder_last_hidden_state"].shape == (2, 12, 32)
    assert not any(tensor.isnan().any() for tensor in outputs.values())


def test_reference(muster_run, muster_reference, inputs):
    """The target gives what exact arithmetic gives: float64 on the CPU."""
    outputs, expected = muster_run(inputs), muster_reference(inputs)
    assert difference(outputs["logits"], expected["logits"]) < TOLERANCE
    assert difference(outputs["encoder_last_hidden_state"], expected["encoder_last_hidden_state"]) < TOLERANCE


def test_determinism(muster_module, inputs):
    """In eval mode nothing is left to chance: no dropout, whatever the seed."""
    first, second = call(muster_module, inputs, seed=0), call(muster_module, inputs, seed=1)
    assert torch.equal(first["logits"], second["logits"])
    assert torch.equal(first["encoder_last_hidden_state"], second["encoder_last_hidden_state"])


def test_decoder_input_ids_matter(muster_run, inputs):
    """Other decoder_input_ids (text) give another answer."""
    before = muster_run(inputs)
    after = muster_run({**inputs, "decoder_input_ids": inputs["decoder_input_ids"].flip(0)})
    assert max(difference(after[name], before[name]) for name in ["logits", "encoder_last_hidden_state"]) > NOISE


def test_decoder_causality(muster_run, inputs):
    """The decoder looks only back."""
    other = inputs["decoder_input_ids"].clone()
    other[:, 3:] = other[:, 3:].flip(0)
    before = muster_run(inputs)["logits"]
    after = muster_run({**inputs, "decoder_input_ids": other})["logits"]
    assert difference(after[:, :3], before[:, :3]) < TOLERANCE
    assert difference(after[:, 3:], before[:, 3:]) > NOISE


def test_encoder_reaches_decoder(muster_run, inputs):
    """Other tokens for the encoder change what is decoded."""
    before = muster_run(inputs)["logits"]
    after = muster_run({**inputs, "input_ids": inputs["input_ids"].flip(0)})["logits"]
    assert difference(after, before) > NOISE


def test_encoder_padding(muster_run, inputs):
    """Tokens that the encoder's mask hides change nothing of what is decoded."""
    mask = torch.ones_like(inputs["attention_mask"])
    mask[:, -3:] = 0
    other = inputs["input_ids"].clone()
    other[:, -3:] = inputs["input_ids"][:, 4:7].flip(1)
    hidden = muster_run({**inputs, "attention_mask": mask})["logits"]
    changed = muster_run({**inputs, "attention_mask": mask, "input_ids": other})["logits"]
    assert difference(changed, hidden) < TOLERANCE


def test_generate_greedy(muster_module, inputs, monkeypatch):
    """Greedy generation takes the largest logit of a full pass, again and again."""
    ids = inputs["input_ids"].to(muster_module.device)
    start = getattr(muster_module.config, "decoder_start_token_id", None) or 0
    greedy = transformers.GenerationConfig(
        max_new_tokens=4, do_sample=False, pad_token_id=0, decoder_start_token_id=start
    )
    monkeypatch.setattr(muster_module, "generation_config", greedy)  # its own might stop early or force a token
    with torch.no_grad():
        made = muster_module.generate(ids, attention_mask=torch.ones_like(ids))
        assert made.shape[1] == 5
        for place in range(1, made.shape[1]):
            logits = muster_module(input_ids=ids, decoder_input_ids=made[:, :place], use_cache=False).logits[:, -1]
            chosen = logits.gather(1, made[:, place : place + 1])[:, 0]
            assert (logits.max(dim=1).values - chosen <= 1e-4 * logits.abs().max()).all()


def test_batch_invariance(muster_run, inputs):
    """Each row gives alone what it gives among others."""
    together = muster_run(inputs)
    for row in range(2):
        alone = muster_run({name: value[row : row + 1] for name, value in inputs.items()})
        assert difference(alone["logits"], together["logits"][row : row + 1]) < TOLERANCE
        assert (
            difference(alone["encoder_last_hidden_state"], together["encoder_last_hidden_state"][row : row + 1])
            < TOLERANCE
        )


def test_attention_implementation(muster_module, inputs):
    """Eager and fused attention give the same answer."""
    eager, fused = copy.deepcopy(muster_module), copy.deepcopy(muster_module)
    eager.set_attn_implementation("eager")
    fused.set_attn_implementation("sdpa")
    expected, got = call(eager, inputs), call(fused, inputs)
    assert difference(got["logits"], expected["logits"]) < TOLERANCE
    assert difference(got["encoder_last_hidden_state"], expected["encoder_last_hidden_state"]) < TOLERANCE


def test_gradients(muster_module, inputs):
    """Finite gradients reach at least half of the weights."""
    outputs = call(muster_module, inputs, gradients=True)
    loss = sum(
        (outputs[name] * torch.rand_like(outputs[name])).sum() for name in ["logits", "encoder_last_hidden_state"]
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
