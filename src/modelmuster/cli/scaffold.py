"""`muster scaffold`: the start of an architecture of your own."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer


def scaffold(
    name: Annotated[str, typer.Argument(metavar="TYPE", help="Its model type, and the name of its package.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Default: a folder of that name.")
    ] = None,
) -> None:
    """Write a package with a config, models and the entry point by which every command finds them.

    Once it is installed, it gets all checks, generated tests and rows of the matrix without being upstreamed.

    Example: muster scaffold my_model && pip install --editable my_model && muster run my_model
    """
    from modelmuster.catalog import load
    from modelmuster.cli.console import err
    from modelmuster.errors import UsageError
    from modelmuster.generate import scaffold as making

    if name in load():
        raise UsageError(f"there is an architecture {name} already", hint="choose another name")
    made = making.files(name)
    folder = output or Path(name)
    making.write(folder, made)
    for path in made:
        sys.stdout.write(f"{folder / path}\n")
    err().print(
        f"next: pip install --no-deps --editable {shlex.quote(str(folder))}; muster run {name}",
        markup=False,
        soft_wrap=True,
    )
