"""From a blueprint to the text of a file: one Jinja template per family, a user's own before the shipped ones."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from modelmuster.errors import UsageError
from modelmuster.generate import header
from modelmuster.generate.blueprint import Blueprint
from modelmuster.generate.packing import is_long, packed
from modelmuster.generate.sources import arguments, source
from modelmuster.records import Family

SHIPPED = Path(__file__).with_name("templates")

SUFFIX = ".py.j2"

CALLING = frozenset({"determinism", "attention_implementation", "gradients"})
"""Questions that call the live module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How files are to be made; part of what their header records."""

    standalone: bool = False
    checks: tuple[str, ...] = ()
    """Questions to ask; empty for all that fit."""
    templates: Path | None = None
    """Folder with templates that go before the shipped ones."""


def render(blueprint: Blueprint, style: Style) -> str:
    """The text of the file, not yet formatted, with a place for its header.

    Raises:
        UsageError: a template has an error; its file and line are named.
    """
    name = f"{blueprint.family.value}{SUFFIX}"
    try:
        return _environment(style.templates).get_template(name).render(_context(blueprint, style))
    except jinja2.TemplateNotFound as error:
        raise UsageError(f"there is no template {error.name}", hint=f"templates are looked for in {SHIPPED}") from error
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"{error.filename or error.name}, line {error.lineno}: {error.message}") from error
    except Exception as error:
        raise UsageError(
            f"{_place(error)}: {error}", hint="see docs/generate.md for what templates are given"
        ) from error


def check_folder(folder: Path) -> None:
    """Raise unless it is a folder with templates in it.

    Raises:
        UsageError: it is not.
    """
    if not any(folder.glob(f"*{SUFFIX}")):
        names = ", ".join(f"{family.value}{SUFFIX}" for family in Family)
        raise UsageError(f"{folder} holds no template", hint=f"a template is called after its family: {names}")


def _context(blueprint: Blueprint, style: Style) -> dict[str, Any]:
    questions = [name for name in blueprint.questions if not style.checks or name in style.checks]
    expressions = blueprint.inputs.values()
    sources = (blueprint.config_source, blueprint.class_source, blueprint.session_source)
    context: dict[str, Any] = {name: getattr(blueprint, name) for name in blueprint.__struct_fields__}
    context |= {
        "family": blueprint.family.value,
        "family_mark": blueprint.family.value.replace("-", "_"),
        "modalities": [modality.value for modality in blueprint.modalities],
        "article": "an" if blueprint.family.value[0] in "aeio" else "a",
        "packages": sorted(set(map(_module, sources)) - {""}),
        "questions": questions,
        "long_config": is_long(blueprint.config),
        "cache_argument": blueprint.cache,
        "decoded": "logits" if "logits" in blueprint.outputs else "last_hidden_state",
        "draws": any("torch.rand" in text for text in expressions),
        "lists": any(text.startswith("[") and "torch." in text for text in expressions),
        "scalars": any("torch." not in text for text in expressions),
        "calls": style.standalone or not CALLING.isdisjoint(questions),
        "standalone": style.standalone,
        "run": "run" if style.standalone else "muster_run",
        "module": "module" if style.standalone else "muster_module",
        "header": header.PLACE,
        "command": header.command(blueprint, standalone=style.standalone, checks=style.checks),
    }
    return context


@cache
def _environment(templates: Path | None) -> jinja2.Environment:
    folders = [str(folder) for folder in (templates, SHIPPED) if folder is not None]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Python is written, not HTML
    )
    environment.filters |= {
        "source": source,
        "docstring": _docstring,
        "place": _place_of,
        "arguments": arguments,
        "packed": packed,
    }
    return environment


def _module(written: str) -> str:
    """The module of an own architecture's class, which a file has to import; empty for a class of transformers."""
    module = written.rpartition(".")[0]
    return "" if module.startswith("models.") else module


def _place_of(written: str) -> str:
    """A class as a file writes it."""
    return written if _module(written) else f"transformers.{written}"


def _docstring(text: Any) -> str:
    """Text that can stand inside a docstring, whatever the catalogue holds."""
    return re.sub(r"\s+", " ", str(text)).replace("\\", "/").replace('"', "'")


def _place(error: BaseException) -> str:
    """Template and line that raised, which Jinja writes into the traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(SUFFIX)]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else "the template"


def known_checks(blueprints: Collection[Blueprint]) -> list[str]:
    """Every question that some of these files could ask."""
    return sorted({name for blueprint in blueprints for name in blueprint.questions})
