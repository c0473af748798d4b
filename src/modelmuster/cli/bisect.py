"""`muster bisect`: which release of a package changed the answer to one check."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.history.bisection import Verdict
    from modelmuster.runs.releases import Release
    from modelmuster.settings import Home


@dataclass(frozen=True, slots=True)
class Asked:
    """What the check said with one release."""

    verdict: Verdict
    said: str


def bisect(
    model_type: Annotated[str, typer.Argument(metavar="TYPE", help="An architecture.")],
    *,
    check: Annotated[str, typer.Option("--check", "-c", help="The check that fails with the bad release.")],
    good: Annotated[str, typer.Option("--good", metavar="PACKAGE==VERSION", help="A release with which it passes.")],
    bad: Annotated[str, typer.Option("--bad", metavar="PACKAGE==VERSION", help="A release with which it fails.")],
    target: Annotated[str, typer.Option("--target", "-t", help="One target.")] = "torch:cpu",
    class_name: Annotated[str | None, typer.Option("--class", help="Default: the most telling class.")] = None,
    releases: Annotated[
        str | None, typer.Option("--releases", metavar="V,V,…", help="The versions to try. Default: all of the index.")
    ] = None,
) -> None:
    """Find the first bad release of a package by binary search, each in an environment of its own.

    An older --bad than --good finds the release that mended something. Environments are kept in the cache of
    $MUSTER_HOME, and lie over the present one: only what differs is installed.

    Example: muster bisect bert --check reference --good transformers==5.0.0 --bad transformers==5.23.0
    """
    from modelmuster.cli.console import err
    from modelmuster.errors import UsageError
    from modelmuster.history.bisection import Verdict, search
    from modelmuster.runs import environment
    from modelmuster.runs import releases as known
    from modelmuster.settings import Home

    first, last = known.parse(good), known.parse(bad)
    if first.package != last.package:
        raise UsageError(f"{first} and {last} are two packages", hint="--good and --bad name versions of one")
    if first == last:
        raise UsageError(f"{first} cannot be both good and bad")
    versions = known.in_order(first, last, releases.split(",")) if releases else known.between(first, last)
    words = [model_type, "--check", check, "--target", target, *(["--class", class_name] if class_name else [])]
    home = Home.find()
    home.create()
    asked: dict[str, Asked] = {}

    def ask(version: str) -> Verdict:
        release = known.Release(first.package, version)
        asked[version] = _ask(home, release, words)
        err().print(reading.safe(f"{release}: {asked[version].verdict}, {asked[version].said}"), soft_wrap=True)
        return asked[version].verdict

    for release, wanted in ((first, Verdict.GOOD), (last, Verdict.BAD)):
        if ask(release.version) is not wanted:
            raise UsageError(
                f"{release} is not {wanted}, but {asked[release.version].verdict}: {asked[release.version].said}",
                hint="--good must pass the check, and --bad must fail it",
            )
    found = search(versions, ask)
    sys.stdout.write(f"first bad: {first.package}=={found.first_bad}: {reading.visible(asked[found.first_bad].said)}\n")
    sys.stdout.write(f"last good: {first.package}=={found.last_good}\n")
    if found.undecided:
        sys.stdout.write(f"no answer between them: {', '.join(found.undecided)}; it may be one of these\n")
    pythons = [
        known.environment(home, known.Release(first.package, version)) for version in (found.last_good, found.first_bad)
    ]
    for line in environment.differences(*map(known.installed, pythons)):
        sys.stdout.write(f"differs: {line}\n")
    sys.stdout.write(f"reproduce: {_command(pythons[1], words)}\n")


def _ask(home: Home, release: Release, words: list[str]) -> Asked:
    """Run the check with a release, in a home of its own, so that its runs are nobody's baseline."""
    from modelmuster.errors import UsageError
    from modelmuster.history.bisection import Verdict
    from modelmuster.records import FINDINGS, Outcome
    from modelmuster.runs import folders, journal, releases
    from modelmuster.settings import Home

    try:
        python = releases.environment(home, release)
    except UsageError as error:
        return Asked(Verdict.UNDECIDED, error.message)
    own = Home(home.root / "bisect")
    before = set(folders.run_ids(own))
    done = subprocess.run(
        [python, "-m", "modelmuster", "run", *words, "--no-progress"],
        capture_output=True,
        text=True,
        check=False,
        env=releases.surroundings(MUSTER_HOME=str(own.root)),
    )
    made = [run_id for run_id in folders.run_ids(own) if run_id not in before]
    records = journal.read_lenient(folders.open_run(own, made[-1]).journal).records if made else ()
    results = [result for record in records if record.final for result in record.results]
    if not results:
        return Asked(Verdict.UNDECIDED, next(iter(done.stderr.strip().splitlines()), "nothing ran"))
    if len(results) > 1:
        return Asked(Verdict.UNDECIDED, f"{len(results)} answers: name one architecture, one check and one target")
    [result] = results
    said = f"{result.outcome}: {result.message}" if result.message else result.outcome.value
    if result.outcome is Outcome.PASS:
        return Asked(Verdict.GOOD, said)
    return Asked(Verdict.BAD if result.outcome in FINDINGS else Verdict.UNDECIDED, said)


def _command(python: Path, words: list[str]) -> str:
    import shlex

    return shlex.join([str(python), "-m", "modelmuster", "run", *words])
