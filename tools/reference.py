"""Reference pages, made from the code: a hook of mkdocs, so that no page can say what is not so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ENVIRONMENT = {
    "MUSTER_HOME": "the folder of runs, store and caches; `.muster` in the current folder if it is not set",
    "MUSTER_MOCK": "`1` asks for mock inference wherever no target is named",
    "MUSTER_HIDE": "packages, separated by commas, that are treated as if they were not installed",
    "MUSTER_MOCK_BREAK": "properties that the mock runtime breaks on purpose, to see that the right check fails",
    "MUSTER_CHROMIUM": "the executable of the browser that targets call `chromium`",
    "MUSTER_TOKEN": "what a browser has to bring to read the dashboard",
    "MUSTER_METRICS": "where Prometheus is answered while a run goes on, as `--metrics`",
    "MUSTER_OTLP": "the OpenTelemetry collector that a run is told to, as `--otlp`",
}
"""Variables of the environment with what they do; a test looks for each in the code."""


def options() -> str:
    """Every command with its help, arguments and options."""
    from typer.main import get_command

    from modelmuster.cli.app import app

    return "\n".join(["# Options", "", *_commands(get_command(app), "muster")])


def _commands(command: Any, name: str) -> Iterator[str]:
    for title, sub in sorted(getattr(command, "commands", {}).items()):
        yield f"## {name} {title}" if name == "muster" else f"### {name} {title}"
        yield ""
        yield _cell(sub.help or "")
        yield ""
        shown = [parameter for parameter in sub.params if not getattr(parameter, "hidden", False)]
        if shown:
            yield from ("| | |", "|---|---|")
            yield from (_option(parameter) for parameter in shown)
            yield ""
        yield from _commands(sub, f"{name} {title}")


def _option(parameter: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    shown = (parameter.metavar or parameter.name.upper()) if parameter.param_type_name == "argument" else names
    return f"| `{shown.replace('|', '/')}` | {_cell(getattr(parameter, 'help', None) or '')} |"


def targets() -> str:
    """Every target that is registered here."""
    from modelmuster import plugins

    lines = ["# Targets", "", "| target | what runs | dtypes | process |", "|---|---|---|---|"]
    for target in plugins.targets().all():
        dtypes = ", ".join(target.dtypes)
        lines.append(f"| `{target.name}` | {target.inference.label} | {dtypes} | {target.start_method} |")
    return "\n".join(
        [*lines, "", "`muster doctor` says which of them are available on a machine, and what the others lack."]
    )


def statuses() -> str:
    """Outcomes, stages and the words of reports."""
    from modelmuster.records import DECIDED, Outcome, Stage
    from modelmuster.views.words import FORMULAS, WORDS

    return "\n".join(
        [
            "# Statuses", "", "| letter | outcome | enters a rate |", "|---|---|---|",
            *(f"| {one.letter} | `{one.value}` | {'yes' if one in DECIDED else 'no'} |" for one in Outcome),
            "", "## Stages", "", ", ".join(f"`{stage.value}`" for stage in Stage), "",
            "## Words", "", "| word | meaning |", "|---|---|",
            *(f"| {word} | {_cell(said)} |" for word, said in WORDS.items()),
            "", "## Formulas", "", *(f"* {name} = `{formula}`" for name, formula in FORMULAS.items()),
        ]
    )  # fmt: skip


def schema() -> str:
    """The records of a journal as a JSON schema's tables."""
    import msgspec

    from modelmuster.records import RECORD_FORMAT, CellRecord, Environment, Plan

    lines = ["# Records and schema", "", f"Record format {RECORD_FORMAT}: `plan.json` is a Plan, `environment.json` an"]
    lines += ["Environment, each line of `journal.jsonl` a CellRecord. `muster db query` sees them as tables.", ""]
    _, parts = msgspec.json.schema_components([Plan, CellRecord, Environment], ref_template="{name}")
    for name, part in sorted(parts.items()):
        if "properties" in part:
            needed = set(part.get("required", ()))
            lines += [f"## {name}", "", _cell(part.get("description", "")), "", "| field | type | |", "|---|---|---|"]
            for field, kind in part["properties"].items():
                lines.append(f"| `{field}` | {_type(kind)} | {'always there' if field in needed else ''} |")
            lines.append("")
    return "\n".join(lines)


def _type(kind: dict[str, Any]) -> str:
    if "anyOf" in kind:
        return " or ".join(map(_type, kind["anyOf"]))
    if "$ref" in kind:
        return str(kind["$ref"])
    if kind.get("type") == "array":
        return f"list of {_type(kind['items'])}" if kind.get("items") else "list"
    return str(kind.get("type", kind.get("enum", "anything")))


def settings() -> str:
    """Tables of a project's settings, environment variables, exit codes."""
    import msgspec

    from modelmuster.history.gate import Rules

    rules = [f"| `{field.name}` | {field.default} |" for field in msgspec.structs.fields(Rules)]
    return "\n".join(
        [
            "# Settings", "", "`muster.toml`, or `[tool.modelmuster]` in `pyproject.toml`, in the current folder.", "",
            "## [gate]", "", "| rule | default |", "|---|---|", *rules, "", "What each means: [ci.md](../ci.md).", "",
            "## Environment", "", "| variable | |", "|---|---|",
            *(f"| `{name}` | {said} |" for name, said in ENVIRONMENT.items()),
            "", "## Exit codes", "",
            "0 all passed or expected, 1 findings, 2 usage, 3 infrastructure, 5 nothing selected, 130 interrupted.",
        ]
    )  # fmt: skip


PAGES: dict[str, Callable[[], str]] = {
    "reference/options.md": options,
    "reference/targets.md": targets,
    "reference/statuses.md": statuses,
    "reference/schema.md": schema,
    "reference/settings.md": settings,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    from mkdocs.structure.files import File

    for path, make in PAGES.items():
        files.append(File.generated(config, path, content=make()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' own
    """Links to files of the repository that are no pages lead to the repository."""
    if page.file.src_uri in PAGES:
        return markdown
    return re.sub(r"\]\(\.\./([^)]+)\)", rf"]({config.repo_url}/blob/main/\1)", markdown)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
