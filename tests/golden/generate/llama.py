"""llama: LlamaForCausalLM, a decoder-only model, built tiny and really run.

A decoder predicts each token from those before it. Asked here: does the future stay hidden, does the cache only save
time, and does generate() choose what the logits say?

Made by: muster generate llama
Edit it freely: an edited file is never overwritten, and `muster generate --update` merges.
"""
# muster-generate: type=llama class=LlamaForCausalLM standalone=no checks=all recipe=24c4cf21835d60ec sha256=0e655ae78825dcf0

import copy

import pytest
import torch
import transformers

pytestmark = [pytest.mark.decoder_only, pytest.mark.muster(model_type="llama", model_class="LlamaForCausalLM")]
TOLERANCE = 1e-4  # of the size of an output: float32, whatever the kernels
NOISE = 1e-5  # a change below it is rounding


@pytest.fixture(scope="module")
def model():
    """22,688 random weights, drawn larger than the library draws them: with its own, faults hide."""
    config = transformers.LlamaConfig(
        vocab_size=128,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        num_key_value_heads=4,
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config).float().eval()
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
            [[102, 41, 71, 4, 106, 112, 103, 17, 118, 16, 73, 32], [58, 127, 6, 121, 10, 79, 105, 46, 106, 118, 14, 80]]
        ),
        "attention_mask": torch.ones(2, 12, dtype=torch.int64),
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


def test_causality(muster_run, inputs):
    """Later tokens change what comes after them and nothing before."""
    other = inputs["input_ids"].clone()
    other[:, 6:] = other[:, 6:].flip(0)
    before = muster_run(inputs)["logits"]
    after = muster_run({**inputs, "input_ids": other})["logits"]
    assert difference(after[:, :6], before[:, :6]) < TOLERANCE
    assert difference(after[:, 6:], before[:, 6:]) > NOISE


def test_padding(muster_run, inputs):
    """What the attention mask hides on the left has no influence, and would have some without the mask."""
    mask = torch.ones_like(inputs["attention_mask"])
    mask[:, :3] = 0
    other = inputs["input_ids"].clone()
    other[:, :3] = inputs["input_ids"][:, 4:7].flip(1)
    hidden = muster_run({**inputs, "attention_mask": mask})["logits"][:, 3:]
    changed = muster_run({**inputs, "attention_mask": mask, "input_ids": other})["logits"][:, 3:]
    seen = muster_run({**inputs, "attention_mask": torch.ones_like(mask)})["logits"][:, 3:]
    assert difference(changed, hidden) < TOLERANCE
    assert difference(seen, hidden) > NOISE


def test_cache(muster_module, inputs):
    """Decoding token by token on top of the cache gives what one full pass gives."""
    ids = inputs["input_ids"].to(muster_module.device)
    with torch.no_grad():
        full = muster_module(input_ids=ids, use_cache=False)["logits"]
        step = muster_module(input_ids=ids[:, :8], use_cache=True)
        for place in range(8, 12):
            step = muster_module(
                input_ids=ids[:, place : place + 1], past_key_values=step.past_key_values, use_cache=True
            )
            assert difference(step["logits"][:, 0], full[:, place]) < TOLERANCE


def test_generate_greedy(muster_module, inputs, monkeypatch):
    """Greedy generation takes the largest logit of a full pass, again and again."""
    ids = inputs["input_ids"].to(muster_module.device)
    greedy = transformers.GenerationConfig(max_new_tokens=4, do_sample=False, pad_token_id=0)
    monkeypatch.setattr(muster_module, "generation_config", greedy)  # its own might stop early or force a token
    with torch.no_grad():
        made = muster_module.generate(ids, attention_mask=torch.ones_like(ids))
        assert made.shape[1] == 16
        for place in range(12, made.shape[1]):
            logits = muster_module(input_ids=made[:, :place], use_cache=False).logits[:, -1]
            chosen = logits.gather(1, made[:, place : place + 1])[:, 0]
            assert (logits.max(dim=1).values - chosen <= 1e-4 * logits.abs().max()).all()


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
