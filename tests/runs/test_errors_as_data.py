"""Exceptions as data."""

import errno

import pytest

from modelmuster import errors
from modelmuster.records import Outcome
from modelmuster.runs import errors_as_data


class OutOfMemoryError(RuntimeError):
    """Named as torch's is, which is found by its name."""


class Mute(Exception):
    def __str__(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.Unsupported("no"), Outcome.UNSUPPORTED),
        (errors.Unavailable("no"), Outcome.UNAVAILABLE),
        (errors.MissingDependency("timm", purpose="this"), Outcome.UNAVAILABLE),
        (errors.ModuleUnavailable("no"), Outcome.NOT_APPLICABLE),
        (errors.ReferenceUnstable("no"), Outcome.NOT_APPLICABLE),
        (errors.CannotBuild("no"), Outcome.ERROR),
        (errors.NoInputs("no"), Outcome.ERROR),
        (MemoryError(), Outcome.OOM),
        (OutOfMemoryError("no"), Outcome.OOM),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), Outcome.OOM),
        (OSError(errno.ENOENT, "No such file"), Outcome.ERROR),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), Outcome.OOM),
        (RuntimeError("std::bad_alloc"), Outcome.OOM),
        (RuntimeError("memory format"), Outcome.ERROR),
        (ValueError("bad"), Outcome.ERROR),
        (SystemExit(3), Outcome.ERROR),
    ],
)
def test_each_exception_means_one_outcome(error, outcome):
    assert errors_as_data.outcome_of(error) is outcome


def test_torch_out_of_memory_is_recognised():
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55)
    assert errors_as_data.outcome_of(caught.value) is Outcome.OOM
    assert errors_as_data.outcome_of(torch.OutOfMemoryError("CUDA out of memory")) is Outcome.OOM


def caught(raiser):
    with pytest.raises(Exception) as info:
        raiser()
    return errors_as_data.describe(info.value)


def fail_with(message):
    def raiser():
        raise ValueError(message)

    return raiser


def test_an_exception_is_described_with_type_message_and_traceback():
    described = caught(fail_with("too few beads"))
    assert (described.type, described.message) == ("ValueError", "ValueError: too few beads")
    assert "raiser" in described.traceback


def test_equal_causes_have_equal_fingerprints():
    first = caught(fail_with("size 3 (at 0x7f12ab) in /tmp/run-1/model.py, got 1.5e-3"))
    second = caught(fail_with("size 417 (at 0xdeadbeef) in /home/me/x/y.py, got 22"))
    other = caught(fail_with("shape 3 (at 0x7f12ab) in /tmp/run-1/model.py, got 1.5e-3"))
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != other.fingerprint


def test_the_same_message_from_another_place_is_another_cause():
    def elsewhere():
        raise ValueError("bad")

    assert caught(fail_with("bad")).fingerprint != caught(elsewhere).fingerprint


def test_an_exception_without_words_is_described_all_the_same():
    def raiser():
        raise Mute

    described = caught(raiser)
    assert described.type == "Mute"
    assert "cannot be read" in described.message


def test_a_huge_message_is_shortened_and_says_so():
    described = caught(fail_with("a" * 10_000_000 + "end"))
    assert len(described.message) < 5_000
    assert len(described.traceback) < 20_000
    assert described.message.endswith("end")
    assert "left out" in described.message


def test_lone_surrogates_become_storable():
    described = caught(fail_with("\ud800"))
    assert described.message.encode()


def test_a_crash_is_told_apart_by_the_innermost_python_frame():
    def log(function):
        return (
            "noise\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n"
            f'  File "/x/modeling_bert.py", line 12 in {function}\n  File "/x/run.py", line 3 in main\n'
            "\nExtension modules: numpy, torch (total: 2)\n"
        )

    forward, loss = (errors_as_data.of_death("SIGSEGV", "killed", log(name)) for name in ("forward", "loss"))
    assert forward.type == "SIGSEGV"
    assert forward.traceback.startswith("Fatal Python error")
    assert "Extension modules" not in forward.traceback
    assert forward.fingerprint != loss.fingerprint
    assert errors_as_data.of_death("SIGKILL", "killed", "").traceback == ""
