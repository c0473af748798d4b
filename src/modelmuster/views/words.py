"""What every word in a report means, and the formulas; `docs/honesty.md` says the same at greater length."""

from __future__ import annotations

WORDS = {
    "real": "A model of the architecture ran, and the runtime itself named the device after the run. Marked 🚀.",
    "mock": (
        "A small function ran in place of a model, to try the plumbing and the checks. Marked 🔷. It never holds a "
        "pass, never yields a time, and enters no count of real results."
    ),
    "held": (
        "What a check says of a mock function whose property is as it should be. It is no pass, and proves nothing."
    ),
    "nothing ran": "Neither: the cell ended before a device answered, such as for want of a package.",
    "tiny": "A real model whose configuration was shrunk, with random weights: for correctness, never for speed.",
    "default": "The configuration class's own defaults, with random weights: for performance.",
    "checkpoint": "Trained weights, from a folder or a hub.",
    "hardware": "The runtime named a device that is what its name says.",
    "software-emulated": (
        "Software that imitates the device, such as a graphics card computed by the processor. It counts for "
        "correctness, and never for performance."
    ),
    "pass": "A check's question was answered with yes, by real inference.",
    "expected": (
        "A known failure of the library or runtime, with a reason and a link on file. It stays a failure in every "
        "rate; it does not make a run fail. When it passes, the entry has to go."
    ),
    "flaky": "A repetition of the cell alone gave another outcome. Both are kept; the last one decides.",
    "decided": "Answered, one way or another: pass, fail, error, crash, oom or timeout.",
    "planned": "Everything that a run set out to ask of real targets, before any of it was tried.",
    "coverage": "How much of what was planned was decided. A rate without it says little.",
}
"""By term."""

FORMULAS = {
    "pass rate": "pass / (pass + fail + error + crash + oom + timeout)",
    "coverage": "decided / planned, decided = pass + fail + error + crash + oom + timeout",
}
"""By name; only results of real inference enter them."""
