"""The start of an architecture that is no part of transformers: a package with a config, models and one entry point."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import jinja2

from modelmuster import atomic
from modelmuster.errors import UsageError

SOURCES = Path(__file__).with_name("scaffolding")

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def files(name: str) -> dict[Path, str]:
    """Every file of the package by its path in the project.

    Raises:
        UsageError: the name cannot be that of a model type and a package.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a model type",
            hint="write it in small letters, digits and single underscores: my_model",
        )
    if importlib.util.find_spec(name) is not None:
        raise UsageError(f"there is a package {name} already", hint="choose another name")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SOURCES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python is written, not HTML
    )
    places = {
        "pyproject.toml.j2": Path("pyproject.toml"),
        "__init__.py.j2": Path(name) / "__init__.py",
        "configuration.py.j2": Path(name) / f"configuration_{name}.py",
        "modeling.py.j2": Path(name) / f"modeling_{name}.py",
    }
    prefix = "".join(word.capitalize() for word in name.split("_"))
    return {path: environment.get_template(source).render(name=name, prefix=prefix) for source, path in places.items()}


def write(folder: Path, made: dict[Path, str]) -> None:
    """Write the project into a folder that is new or empty.

    Raises:
        UsageError: there is something already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already, and not empty", hint="choose another place with --output")
    try:
        for path, content in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            atomic.replace(folder / path, content.encode())
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from error
