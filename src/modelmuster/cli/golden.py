"""`muster golden`: remember what models compute today, so that `muster run --golden` finds what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import selecting

if TYPE_CHECKING:
    from modelmuster.contracts import Executor
    from modelmuster.recipes.golden.pack import Manifest, Pack
    from modelmuster.records import Plan

app = typer.Typer(
    help="Record golden packs (weights, inputs, float64 outputs), and verify them. Compare with: muster run --golden.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Example: muster golden record packs/a; then, with another transformers: muster run --golden packs/a",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The pack's folder.")]


@app.command()
def record(
    folder: Folder,
    terms: selecting.Terms = None,
    *,
    family: selecting.Families = None,
    seed: selecting.Seed = 0,
    limit: selecting.Limit = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Models at a time.", min=1)] = None,
) -> None:
    """Build the selected architectures and save weights, inputs and float64 outputs of each; exit 1 if none could be.

    Examples: muster golden record packs/today · muster golden record packs/small bert llama vit
    """
    from modelmuster import plugins
    from modelmuster.cli.console import err
    from modelmuster.cli.progress import display
    from modelmuster.runs import environment, golden
    from modelmuster.settings import Home

    chosen = selecting.chosen_architectures(
        selecting.Choice(terms=terms, families=family, seed=seed, limit=limit),
    )
    home = Home.find()
    home.create()
    executor = plugins.executors().get("local")
    if jobs is not None:
        executor.slots = jobs
    with display(len(chosen), plain=False) as shown:
        manifest = golden.record(
            chosen, folder, executor, home, environment.capture(), seed=seed, on_record=shown.record
        )
    _say(manifest, folder)
    err().print(f"next, with another version installed: muster run --golden {folder}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if manifest.models else 1)


@app.command()
def verify(folder: Folder) -> None:
    """Compare every file of a pack with its hash, and say what it holds; exit 2 when it is damaged."""
    from modelmuster.recipes.golden import pack

    opened = pack.open_pack(folder)
    opened.verify(opened.folders())
    _say(opened.manifest, folder)


def make_plan(choice: selecting.Choice, folder: Path, command: str, executor: Executor | None = None) -> Plan:
    """The plan of `muster run --golden`: the pack's models among those that the options pick.

    Raises:
        UsageError: no pack, or one whose files are not what was recorded.
        NothingSelected: the pack has none of what was selected.
    """
    from modelmuster import catalog
    from modelmuster.errors import NothingSelected, UsageError
    from modelmuster.recipes.golden import pack
    from modelmuster.runs import golden

    if choice.checkpoints or choice.class_names or choice.outcomes or choice.scale != "tiny":
        raise UsageError(
            "--golden goes with neither --checkpoint, --class, --outcome nor --scale",
            hint="the pack says which classes it holds, and brings their weights",
        )
    opened = pack.open_pack(folder)
    known = [entry.model_type for entry in catalog.load().architectures]
    plan = golden.make_plan(
        opened,
        selecting.chosen_architectures(choice),
        targets=selecting.chosen_targets(choice, executor),
        checks=selecting.chosen_checks(choice),
        known=known,
        dtypes=tuple(choice.dtypes or ("float32",)),
        command=command,
    )
    if not plan.cells and not plan.unplanned:
        raise NothingSelected(
            "the golden pack holds nothing of what was selected", hint=f"see: muster golden verify {folder}"
        )
    _verify(opened, plan)
    return plan


def _verify(opened: Pack, plan: Plan) -> None:
    pairs = dict.fromkeys((cell.model_type, cell.model_class) for cell in plan.cells)
    opened.verify(opened.folder(*pair) for pair in pairs)


def _say(manifest: Manifest, folder: Path) -> None:
    from modelmuster.cli.console import err

    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    err().print(
        f"{folder}: {len(manifest.models)} models, {size / 1e6:.1f} MB, recorded with {versions}",
        markup=False,
        soft_wrap=True,
    )
    for name, reason in manifest.omitted.items():
        err().print(f"not in the pack: {name}: {reason}", markup=False, soft_wrap=True)
