"""Which architectures a change of source can touch, the library's or one's own: by the files that differ."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from modelmuster.catalog import own
from modelmuster.errors import MissingDependency, UsageError
from modelmuster.records import Architecture

PACKAGE = "transformers"

_IMPORTERS = """
import json, sys
import grimp
package, *changed = sys.argv[1:]
graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
models = package + ".models."

def importers(module):
    # The library's core imports single models here and there, inside functions: no model is touched through those.
    found = graph.find_modules_that_directly_import(module)
    return {name for name in found if name.startswith(models) or not module.startswith(models)}

def downstream(module):
    seen, waiting = set(), [module]
    while waiting:
        new = importers(waiting.pop()) - seen
        seen |= new
        waiting += new
    return sorted(seen)

# A file that was deleted is in no graph; whoever imported it has changed too, or is broken.
print(json.dumps({module: downstream(module) for module in changed if module in graph.modules}))
"""
"""Prints, for each changed module, those that import it, directly or not."""


def affected(architectures: Iterable[Architecture], repository: Path, reference: str) -> dict[str, str]:
    """The architectures whose modelling code, or code that it imports, differs from a commit, with the file that does.

    Of an own architecture, every file of its package counts.

    Args:
        architectures: the entries to choose from.
        repository: a checkout of transformers, or of packages with own architectures.
        reference: a commit, branch or tag; the working tree is compared with what it and HEAD have in common.

    Raises:
        UsageError: nothing of that kind is there, or git does not know the reference.
        MissingDependency: grimp is not installed.
    """
    entries, root, packages = list(architectures), _package_root(repository), _own_packages(repository)
    if root is None and not packages:
        raise UsageError(
            f"{repository} is no checkout of transformers, and no architecture of your own lies in it",
            hint="say where it is: --repository PATH; without --changed everything is selected",
        )
    files = changed_files(repository, reference)
    causes = {
        package: file
        for file in files
        for package, folder in packages
        if (repository / file).resolve().is_relative_to(folder)
    }
    if root is not None:
        changed = {module: file for file in files if (module := _module_of(root, repository / file))}
        causes |= _downstream(root, changed) if changed else {}
    found = {}
    for entry in entries:
        touched = sorted(module for module in causes if module == entry.module or module.startswith(f"{entry.module}."))
        if touched:
            found[entry.model_type] = causes[touched[0]]
    return found


def changed_files(repository: Path, reference: str) -> list[str]:
    """Python files that differ from where the reference and HEAD parted, uncommitted and new ones too.

    Raises:
        UsageError: git does not know the reference, or there is no repository.
    """
    base = _git(repository, "merge-base", reference, "HEAD").strip()
    named = _git(repository, "diff", "--name-only", "-z", base)
    new = _git(repository, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({name for name in (named + new).split("\0") if name.endswith(".py")})


def _package_root(repository: Path) -> Path | None:
    """The folder that holds the library; None where the repository is no checkout of it."""
    found = (root.resolve() for root in (repository / "src", repository) if (root / PACKAGE / "models").is_dir())
    return next(found, None)


def _own_packages(repository: Path) -> list[tuple[str, Path]]:
    """Packages of own architectures that are installed from the repository, with their folders."""
    places = [(package, folder.resolve()) for package in own.packages() for folder in own.folders(package)]
    return [(package, folder) for package, folder in places if folder.is_relative_to(repository.resolve())]


def _module_of(root: Path, file: Path) -> str | None:
    """The dotted name of a file of the package; None for others."""
    try:
        parts = file.resolve().relative_to(root).with_suffix("").parts
    except ValueError:
        return None
    if parts[0] != PACKAGE:
        return None
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _downstream(root: Path, changed: Mapping[str, str]) -> dict[str, str]:
    """Every module that imports a changed one, directly or not, and the changed ones, each with the file behind it."""
    if importlib.util.find_spec("grimp") is None:
        raise MissingDependency("grimp", purpose="finding who imports what changed", extra="ci")
    # In a process of its own, where the checkout is the library that is found, whatever is installed or imported here.
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTERS, PACKAGE, *changed],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UsageError(f"the imports of {root / PACKAGE} cannot be read: {done.stderr.strip().splitlines()[-1]}")
    causes = dict(changed)
    for module, importers in json.loads(done.stdout).items():
        for importer in importers:
            causes.setdefault(importer, changed[module])
    return causes


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be asked: {error}") from error
    if done.returncode:
        raise UsageError(
            f"git {arguments[0]} fails in {repository}: {done.stderr.strip()}",
            hint="--changed takes a commit or branch",
        )
    return done.stdout
