"""Memory, energy and surroundings: what they tell here, and that they say so where they cannot tell."""

import subprocess
import sys

import numpy as np
import pytest

from modelmuster.measure import energy, memory, surroundings


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the peak begin anew")
def test_the_peak_is_that_of_what_happened_since_it_was_forgotten():
    assert memory.forget_peak()
    before = memory.resident_bytes()
    block = np.ones(8 << 20)
    del block
    peak = memory.peak_bytes()
    assert peak - before > 60 << 20
    memory.settle()
    assert memory.forget_peak()
    assert memory.peak_bytes() < peak


def test_without_an_accelerator_no_device_memory_is_made_up():
    assert memory.device_peak_bytes("cpu") is None
    assert memory.device_peak_bytes("npu") is None


@pytest.mark.parametrize("device", ["npu", "mps", "chromium"])
def test_a_device_without_a_counter_has_no_energy(device):
    found = energy.meter(device)
    assert found.read is None
    assert device in found.method


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_counter_is_read_or_its_absence_has_a_reason(device):
    found = energy.meter(device)
    assert found.method
    if found.read is not None:
        assert found.read() <= found.read()


def test_the_work_of_another_process_is_seen():
    """The busy process says when it began; on a machine that is busy anyway the figure is only larger."""
    busy = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    try:
        busy.stdout.readline()
        assert surroundings.others_cores(1.0) > 0.1
    finally:
        busy.kill()
        busy.communicate()


def test_own_work_is_not_that_of_others():
    watch = surroundings.Watch()
    before = surroundings.Watch()
    np.linalg.norm(np.ones((300, 300)) @ np.ones((300, 300)))
    assert before.stretch().others_cores >= 0
    assert 0 <= watch.stretch().stolen <= 1


def test_the_noise_floor_is_a_share():
    assert surroundings.noise_floor() > 0
