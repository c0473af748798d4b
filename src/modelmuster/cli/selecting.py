"""The options that choose cells, shared by `plan`, `run` and `demo`, and how they become a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modelmuster.contracts import Executor
    from modelmuster.records import Architecture, Plan, Scale

Terms = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ARCHITECTURE|TERM]...",
        help="Names or globs (bert, 'qwen*'), or terms: family:vision, trait:state-space, !NAME. Default: all.",
    ),
]
Families = Annotated[list[str] | None, typer.Option("--family", help="Only this family; repeatable.")]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        help="Name, glob or platform (torch:cpu, cuda, mock). Default: all available; mock if MUSTER_MOCK=1.",
    ),
]
Checks = Annotated[list[str] | None, typer.Option("--check", "-c", help="Name or glob of checks. Default: all.")]
Classes = Annotated[
    str, typer.Option("--classes", help="Which classes of each architecture: default or all.", metavar="default|all")
]
ClassNames = Annotated[list[str] | None, typer.Option("--class", help="This very class; repeatable.")]
Dtypes = Annotated[
    list[str] | None, typer.Option("--dtype", help="float32, bfloat16, float16, int8 (weights). Default: float32.")
]
ScaleName = Annotated[str, typer.Option("--scale", help="tiny or default.", metavar="tiny|default")]
Checkpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--checkpoint",
        help="Real weights instead: a folder, or a repository of the hub (NAME or NAME@REVISION); repeatable.",
        metavar="PATH|HUB_ID",
    ),
]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run Python code that comes with a --checkpoint.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of weights and inputs.", min=0)]
Parts = Annotated[bool, typer.Option("--parts", help="Also the parts of other architectures.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Limit = Annotated[int | None, typer.Option("--limit", help="At most so many architectures.", min=1)]
Shard = Annotated[str | None, typer.Option("--shard", help="Every COUNTth architecture from INDEX.", metavar="I/N")]
OutcomeNames = Annotated[
    list[str] | None, typer.Option("--outcome", help="Only cells that ended so in an earlier run (see --of).")
]
OfRun = Annotated[str, typer.Option("--of", help="The earlier run that --outcome speaks of.", metavar="RUN")]

ExpectationsFolder = Annotated[
    Path | None,
    typer.Option("--expectations", help="Folder of known failures (TOML). Default: expectations/, where there is one."),
]


Changed = Annotated[
    str | None,
    typer.Option(
        "--changed",
        help="Only architectures whose code, or code that it imports, differs from this commit in --repository.",
        metavar="REF",
    ),
]
Repository = Annotated[
    Path, typer.Option("--repository", help="A checkout of transformers or of your own architecture, for --changed.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the options said."""

    terms: Sequence[str] | None = None
    families: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    checks: Sequence[str] | None = None
    classes: str = "default"
    class_names: Sequence[str] | None = None
    dtypes: Sequence[str] | None = None
    scale: str = "tiny"
    seed: int = 0
    checkpoints: Sequence[str] | None = None
    trust_remote_code: bool = False
    parts: bool = False
    limit: int | None = None
    shard: str | None = None
    outcomes: Sequence[str] | None = None
    of_run: str = "latest"
    changed: str | None = None
    repository: Path = Path()


def chosen_architectures(choice: Choice) -> list[Architecture]:
    """The architectures that the options pick from the catalogue.

    Raises:
        UnknownName: a name, family or trait that does not exist.
        NothingSelected: the selection matched nothing.
    """
    from modelmuster import catalog
    from modelmuster.errors import NothingSelected
    from modelmuster.selection import Selection, family, shard

    selection = Selection(
        families=tuple(family(name) for name in choice.families or ()),
        parts=choice.parts,
        limit=choice.limit,
        shard=shard(choice.shard) if choice.shard else None,
    ).with_terms(choice.terms or ())
    known = catalog.load()
    candidates = known.architectures
    if choice.changed is not None:
        from modelmuster.catalog.impact import affected

        touched = affected(candidates, choice.repository, choice.changed)
        candidates = tuple(entry for entry in candidates if entry.model_type in touched)
        if not candidates:
            raise NothingSelected(f"what differs from {choice.changed} touches no architecture")
    found = selection.architectures(candidates)
    if not found:
        raise NothingSelected("the selection matches no architecture", hint="see: muster catalog")
    if reason := catalog.why_not_installed(known):
        from modelmuster.cli.console import err

        err().print(f"catalogue: {reason}", markup=False, soft_wrap=True)
    return found


def chosen_targets(choice: Choice, executor: Executor | None = None) -> list[str]:
    """Names of the targets that the options pick.

    Without any: the mock runtime where `$MUSTER_MOCK` asks for it, else all that this machine or the executor's cluster
    has.

    Raises:
        UnknownName: a target that does not exist.
        NothingSelected: none is available here.
    """
    from modelmuster.errors import NothingSelected
    from modelmuster.runs.probes import available_targets, select_targets
    from modelmuster.settings import mock_asked

    if choice.targets or mock_asked():
        return select_targets(choice.targets or ["mock"])
    targets = available_targets(executor)
    if not targets:
        raise NothingSelected(
            "nothing can run here: no target is available",
            hint="see: muster doctor; to try the plumbing without any model: --target mock",
        )
    return targets


def chosen_checks(choice: Choice) -> list[str]:
    """Names of the checks that the options pick.

    Raises:
        UnknownName: a check that does not exist.
    """
    from modelmuster import plugins
    from modelmuster.selection import match_names

    checks = plugins.checks().names()
    return match_names("check", choice.checks, checks, see="muster plan --help") if choice.checks else checks


def make_plan(choice: Choice, command: str, executor: Executor | None = None) -> Plan:
    """The plan that the options describe.

    Args:
        choice: what the options said.
        command: the command line, to be kept in the plan.
        executor: where a cluster's says which targets are available; None for this machine.

    Raises:
        UsageError: an option that cannot be read, or a name that does not exist.
        NothingSelected: the selection matched nothing.
    """
    from modelmuster.cli import sampling
    from modelmuster.errors import NothingSelected, UsageError
    from modelmuster.records import Outcome
    from modelmuster.runs import plan as plans

    classes: plans.Classes
    match choice.classes:
        case _ if choice.class_names:
            classes = tuple(choice.class_names)
        case "default" | "all" as classes:
            pass
        case other:
            raise UsageError(f"cannot read --classes {other!r}", hint="choose default or all; name one with --class")
    targets, checks = chosen_targets(choice, executor), chosen_checks(choice)
    dtypes = tuple(choice.dtypes or ("float32",))
    if choice.checkpoints:
        made = _checkpoint_plan(choice, targets, checks, dtypes, command)
    else:
        made = plans.make_plan(
            chosen_architectures(choice),
            targets=targets,
            checks=checks,
            classes=classes,
            dtypes=dtypes,
            scale=_scale(choice),
            seed=choice.seed,
            command=command,
        )
        if not choice.terms:
            made = sampling.sampled(made, executor)
    if choice.outcomes:
        wanted = []
        for name in choice.outcomes:
            if name not in list(Outcome):
                raise UsageError(f"unknown outcome {name!r}", hint=f"outcomes are: {', '.join(Outcome)}")
            wanted.append(Outcome(name))
        made = plans.only_cells_with(made, _ended_so(choice.of_run, wanted))
    if not made.cells and not made.unplanned:
        raise NothingSelected("the selection matches no cell", hint="see: muster plan --help")
    return made


def _checkpoint_plan(
    choice: Choice, targets: Sequence[str], checks: Sequence[str], dtypes: Sequence[str], command: str
) -> Plan:
    from modelmuster import catalog
    from modelmuster.errors import UsageError
    from modelmuster.recipes import checkpoint
    from modelmuster.runs import plan as plans

    selecting = (choice.terms, choice.families, choice.parts, choice.limit, choice.shard)
    if any(selecting) or choice.classes != "default" or choice.scale not in {"tiny", "checkpoint"}:
        raise UsageError(
            "--checkpoint says which models to run and at which size; names, --family, --parts, --limit, --shard, "
            "--scale and --classes select among architectures",
            hint="give one or the other; --class NAME loads a checkpoint into another class",
        )
    return plans.plan_checkpoints(
        [checkpoint.described(spec) for spec in choice.checkpoints or ()],
        catalog.load(),
        targets=targets,
        checks=checks,
        class_names=choice.class_names or (),
        dtypes=dtypes,
        seed=choice.seed,
        trust_remote_code=choice.trust_remote_code,
        command=command,
    )


def _scale(choice: Choice) -> Scale:
    from modelmuster.errors import UsageError
    from modelmuster.records import Scale

    if choice.trust_remote_code:
        raise UsageError("--trust-remote-code is about a checkpoint", hint="name it: --checkpoint PATH")
    if choice.scale == "checkpoint":
        raise UsageError("the scale checkpoint needs weights", hint="name them: --checkpoint PATH")
    if choice.scale not in {"tiny", "default"}:
        raise UsageError(f"unknown scale {choice.scale!r}", hint="scales are: tiny, default")
    return Scale(choice.scale)


def _ended_so(run: str, wanted: Sequence[str]) -> set[str]:
    """Ids of the cells of an earlier run in which some check ended in one of the outcomes."""
    from modelmuster.runs import folders, journal
    from modelmuster.settings import Home

    home = Home.find()
    folder = folders.latest_run(home) if run == "latest" else folders.open_run(home, run)
    return {
        record.cell.id
        for record in journal.read(folder.journal)
        if record.final and any(result.outcome in wanted for result in record.results)
    }
