"""Which run something is compared with: named, kept in a file, the one before, or the last of a branch."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from modelmuster.errors import UnknownName, UsageError
from modelmuster.history import side
from modelmuster.history.side import Answer, Side
from modelmuster.records import Outcome
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of
from modelmuster.store.environments import environment_of

PREVIOUS = "previous"
COMMIT = "commit:"

_WAYS = "a run's id, a file of --save-baseline, previous, or commit:BRANCH"


def of_run(reader: Reader, run_id: str, key: int) -> Side:
    """The answers of a stored run, mock ones left out.

    Args:
        reader: an open store.
        run_id: the run.
        key: the store's own short key of it.
    """
    rows = reader.rows(
        f"SELECT cell_id, {', '.join(IDENTITY)}, check_name, outcome, expected IS NOT NULL AS expected, message "  # noqa: S608 - constants
        "FROM results WHERE run = $run AND NOT mock",
        run=key,
    )
    answers = {(row["cell_id"], row["check_name"]): _answer(row) for row in rows}
    return Side(run_id, environment_of(reader, key), answers)


def find(reader: Reader, reference: str, *, instead_of: str) -> Side:
    """The baseline that a reference names.

    Args:
        reader: an open store.
        reference: a file of `side.write`, `previous`, `commit:REF`, or the beginning of a run's id.
        instead_of: the run that is to be judged, which is never its own baseline.

    Raises:
        UnknownName: no such run.
        UsageError: nothing fits, or several do.
    """
    if Path(reference).is_file():
        return side.read(Path(reference))
    runs = reader.rows(
        "SELECT run_id, run, git_commit FROM runs LEFT JOIN environments USING (run) "
        "WHERE run_id <> $judged ORDER BY created_at DESC, run_id DESC",
        judged=instead_of,
    )
    if reference == PREVIOUS:
        fitting = runs[:1]
    elif reference.startswith(COMMIT):
        fitting = _of_branch(runs, reference.removeprefix(COMMIT))
    else:
        fitting = [row for row in runs if row["run_id"].startswith(reference)]
        if not fitting:
            names = [PREVIOUS, *(row["run_id"] for row in runs)]
            raise UnknownName("baseline", reference, names, see=f"muster db info; a baseline is {_WAYS}")
        if len(fitting) > 1:
            raise UsageError(f"{len(fitting)} runs begin with {reference!r}", hint="give more of the id")
    if not fitting:
        raise UsageError(
            f"there is no baseline {reference!r} yet",
            hint="keep this run as one, in a file to commit: muster gate --save-baseline baseline.json",
        )
    return of_run(reader, fitting[0]["run_id"], fitting[0]["run"])


def _answer(row: dict[str, Any]) -> Answer:
    outcome = Outcome(row["outcome"])
    again = "" if outcome is Outcome.PASS else reproduce(cell_of(row), row["check_name"])
    return Answer(outcome, row["expected"], row["message"], again)


def _of_branch(runs: list[dict[str, Any]], reference: str) -> list[dict[str, Any]]:
    """The youngest run of a commit that the branch contains, if there is one.

    Raises:
        UsageError: git does not know the branch.
    """
    if _git("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}") != 0:
        raise UsageError(f"git does not know {reference!r} here", hint="give a branch, tag or commit: commit:main")
    for row in runs:
        commit = row["git_commit"]
        # A run with local changes is marked by a plus; it is no commit's.
        if commit and not commit.endswith("+") and _git("merge-base", "--is-ancestor", commit, reference) == 0:
            return [row]
    return []


def _git(*arguments: str) -> int:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False, timeout=30).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be asked: {error}") from error
