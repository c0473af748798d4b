import subprocess
import sys

import pytest
import torch
from torch import nn

from modelmuster.recipes import weights


class Small(nn.Module):
    """One of each kind of parameter that models have."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 16, padding_idx=1)
        self.linear = nn.Linear(16, 16)
        self.norm = nn.LayerNorm(16)
        self.batch_norm = nn.BatchNorm2d(4)
        self.scale = nn.Parameter(torch.full((16,), 1e-6))
        self.gate = nn.Parameter(torch.zeros(1))
        self.decay = nn.Parameter(torch.log(torch.arange(1, 17, dtype=torch.float32)).repeat(8, 1))
        self.frozen = nn.Parameter(torch.linspace(0, 1, 32).reshape(4, 8), requires_grad=False)
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.table.weight
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 8, 3))
        self.register_buffer("codebook", torch.zeros(8, 4))


@pytest.fixture
def small():
    torch.manual_seed(0)
    return Small()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(small):
    weights.fill(small, 0)
    first = {name: value.clone() for name, value in small.state_dict().items()}
    torch.manual_seed(0)
    again, other = Small(), Small()
    weights.fill(again, 0)
    assert all(torch.equal(value, first[name]) for name, value in again.state_dict().items())
    weights.fill(other, 1)
    assert not torch.equal(other.linear.weight, first["linear.weight"])


def test_nothing_that_is_learned_stays_constant(small):
    weights.fill(small, 0)
    for name, value in small.named_parameters():
        if value.numel() > 1:
            assert value.std() > 0.005, name
    assert small.gate.abs() > 0.01
    assert small.codebook.std() > 0.1


def test_running_statistics_are_not_those_of_a_new_model(small):
    weights.fill(small, 0)
    assert small.batch_norm.running_mean.abs().min() > 0
    assert (small.batch_norm.running_var > 0).all()
    assert small.batch_norm.running_var.std() > 0


def test_matrices_are_larger_than_the_library_draws_them_but_bounded(small):
    with torch.no_grad():
        small.linear.weight.normal_(0, 0.02)
    weights.fill(small, 0)
    gain = small.linear.weight.std().item() * 16**0.5
    assert 0.8 * weights.LEAST_GAIN < gain < 1.2 * weights.MOST_GAIN


def test_a_layer_scale_near_zero_is_lifted(small):
    weights.fill(small, 0)
    assert (small.scale > weights.SMALL).all()


def test_a_table_with_a_formula_behind_it_keeps_its_shape(small):
    before = small.decay.clone()
    weights.fill(small, 0)
    assert not torch.equal(small.decay, before)
    assert torch.allclose(small.decay, before, rtol=0.15)


def test_frozen_tables_and_padding_rows_stay(small):
    before = small.frozen.clone()
    weights.fill(small, 0)
    assert torch.equal(small.frozen, before)
    assert (small.table.weight[1] == 0).all()


def test_tied_weights_stay_tied(small):
    weights.fill(small, 0)
    assert small.head.weight.data_ptr() == small.table.weight.data_ptr()


def test_memory_that_was_never_initialised_gets_values(small):
    with torch.no_grad():
        small.linear.weight.fill_(float("nan"))
        small.norm.weight[3] = float("inf")
    weights.fill(small, 0)
    assert all(torch.isfinite(value).all() for value in small.parameters())


def test_weights_are_the_same_in_every_process():
    code = """
import torch
from modelmuster.recipes import weights
torch.manual_seed(0)
layer = torch.nn.Linear(16, 16)
weights.fill(layer, 3)
print(layer.weight.double().sum().item(), layer.bias.double().sum().item())
"""
    command = [sys.executable, "-c", code]
    first, second = (subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2))
    assert first == second


def test_convolutions_before_a_batch_normalisation_keep_the_size_of_the_signal():
    block = nn.Sequential(nn.Conv2d(32, 32, 3), nn.BatchNorm2d(32))
    nn.init.normal_(block[1].weight, std=0.02)  # as some classes do, which switches the layer off
    weights.fill(block, 0)
    gain = float(block[0].weight.detach().std()) * (32 * 9) ** 0.5
    assert gain == pytest.approx(1, abs=0.1)
    assert float(block[1].weight.detach().mean()) == pytest.approx(1, abs=0.1)


def test_a_frozen_table_of_positions_stays(small):
    small.table.weight.requires_grad_(False)
    before = small.table.weight.clone()
    weights.fill(small, 0)
    assert torch.equal(small.table.weight, before)


def test_a_table_that_routes_words_gives_each_different_experts():
    router = nn.Module()
    router.num_experts = 4
    router.register_buffer("routes", torch.zeros(50, 2, dtype=torch.int64))
    weights.fill(router, 0)
    assert (router.routes[:, 0] != router.routes[:, 1]).all()
    assert router.routes.unique().tolist() == [0, 1, 2, 3]


class Frozen(nn.Module):
    """Frozen statistics beside a weight of zero, as detectors keep the last norm of a block."""

    def __init__(self):
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.zeros(16))


def test_frozen_norms_do_not_switch_their_branch_off():
    module = nn.Sequential(Frozen())
    weights.fill(module, 0)
    assert module[0].weight.min() > 0.5
    assert module[0].running_var.min() > 0
    assert module[0].bias.abs().max() > 0


def test_a_head_of_convolutions_tells_images_apart():
    torch.manual_seed(0)
    layers = [nn.ConvTranspose2d(16, 16, 4, 4), nn.ReLU()]
    for _ in range(4):
        layers += [nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    head = nn.Sequential(*layers)
    weights.fill(head, 0)
    answers = head(torch.randn(2, 16, 4, 4))
    assert (answers[0] - answers[1]).std() > 0.1 * answers.std()


def test_experts_in_one_parameter_are_drawn_as_large_as_each_alone():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.num_experts = 4
            self.down_proj = nn.Parameter(0.02 * torch.randn(4, 32, 32))
            self.single = nn.Linear(32, 32, bias=False)

    torch.manual_seed(0)
    made = Experts()
    nn.init.normal_(made.single.weight, std=0.02)
    weights.fill(made, 0)
    assert 0.8 < float(made.down_proj.std() / made.single.weight.std()) < 1.25
