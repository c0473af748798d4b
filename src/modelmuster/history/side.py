"""One side of a comparison: the answers of a run, from the store or from a baseline file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelmuster import atomic
from modelmuster.errors import UsageError
from modelmuster.records import LETTERS, Environment, Outcome

FORMAT = 1
_LETTER_OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}
_UNPLANNED = " "

Question = tuple[str, str]
"""Id of a cell, and a check."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one question."""

    outcome: Outcome
    expected: bool = False
    """Whether an entry in expectations foresaw it."""
    message: str = ""
    """This and the next are empty on a side that was read from a file."""
    reproduce: str = ""
    """The command that asks again, of what did not pass."""


@dataclass(frozen=True, slots=True)
class Side:
    """Every question that was planned on real targets, with its answer; mock answers enter no comparison."""

    name: str
    environment: Environment | None
    answers: Mapping[Question, Answer]


class BaselineFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="modelmuster-baseline"):
    """The answers of a run, small enough to be committed."""

    format: int
    run_id: str
    environment: Environment | None
    checks: tuple[str, ...]
    answers: dict[str, str]
    """By cell, one letter for each check in their order; a space where it was not planned."""
    expected: dict[str, tuple[str, ...]] = {}
    """By cell, the checks whose finding was foreseen."""


def write(side: Side, path: Path) -> None:
    """Keep a side as a file.

    Raises:
        UsageError: it cannot be written.
    """
    checks = tuple(sorted({check for _, check in side.answers}))
    places = {check: place for place, check in enumerate(checks)}
    letters: dict[str, list[str]] = {}
    expected: dict[str, list[str]] = {}
    for (cell, check), answer in side.answers.items():
        letters.setdefault(cell, [_UNPLANNED] * len(checks))[places[check]] = answer.outcome.letter
        if answer.expected:
            expected.setdefault(cell, []).append(check)
    kept = BaselineFile(
        format=FORMAT,
        run_id=side.name,
        environment=side.environment,
        checks=checks,
        answers={cell: "".join(letters[cell]) for cell in sorted(letters)},
        expected={cell: tuple(sorted(names)) for cell, names in sorted(expected.items())},
    )
    try:
        atomic.replace(path, msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def read(path: Path) -> Side:
    """The side that a file keeps.

    Raises:
        UsageError: it cannot be read, or is no baseline of a version known here.
    """
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=BaselineFile)
        if kept.format > FORMAT:
            raise UsageError(
                f"{path}: a baseline of format {kept.format}, known here is {FORMAT}", hint="upgrade modelmuster"
            )
        answers = {
            (cell, check): Answer(_LETTER_OUTCOMES[letter], check in kept.expected.get(cell, ()))
            for cell, letters in kept.answers.items()
            for check, letter in zip(kept.checks, letters, strict=True)
            if letter != _UNPLANNED
        }
    except OSError as error:
        raise UsageError(f"cannot read the baseline {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{path} is no baseline: {error}", hint=f"make one from a run: muster gate --save-baseline {path}"
        ) from error
    return Side(kept.run_id, kept.environment, answers)
