"""Where a catalogue comes from: what was kept of an introspection, a shipped snapshot, or the library itself."""

from __future__ import annotations

import hashlib
import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from modelmuster import dependencies
from modelmuster.catalog import own, snapshot
from modelmuster.catalog.contents import Catalog
from modelmuster.errors import UsageError
from modelmuster.settings import user_cache

if TYPE_CHECKING:
    from modelmuster.catalog.gather import Advance

INSTALLED = "installed"
"""The name by which `open_catalog` finds the catalogue of the installed version."""


def load(*, refresh: bool = False, advance: Advance | None = None) -> Catalog:
    """The catalogue of the installed transformers; where that cannot be read, of the newest version that is shipped.

    Architectures that other packages bring stand in it too, see `own`.

    It cannot be read without transformers, and a version that is not shipped not without torch; `why_not_installed`
    says so. Only introspection imports torch and transformers. It takes about half a minute and happens once per
    version of transformers, and not at all for a version whose snapshot is shipped.

    Args:
        refresh: Introspect even if the answer is known.
        advance: Called with each model type as it is introspected.

    Raises:
        MissingDependency: introspection is needed, and torch is not installed.
    """
    return own.joined(_library(refresh=refresh, advance=advance), _code_key())


def _library(*, refresh: bool, advance: Advance | None) -> Catalog:
    installed = installed_version()
    if not refresh and installed is not None and (known := _known(installed)) is not None:
        return known
    if installed is None or (not refresh and not dependencies.is_installed("torch")):
        return snapshot.read(next(iter(snapshot.shipped().values())), "shipped snapshot")
    catalog = introspect(advance)
    _keep(catalog)
    return catalog


def why_not_installed(known: Catalog) -> str | None:
    """Which other catalogue `load` gave than that of the installed version, and why; None where it is that one."""
    installed = installed_version()
    if installed == known.transformers:
        return None
    where = f"{known.source} of transformers {known.transformers}"
    if installed is None:
        return f"{where}, since transformers is not installed"
    return f"{where}, since reading the installed {installed} needs torch, which is not installed"


def introspect(advance: Advance | None = None) -> Catalog:
    """The catalogue as the installed library shows it now.

    Raises:
        MissingDependency: torch or transformers is not installed.
    """
    from modelmuster.catalog import gather, library
    from modelmuster.catalog.judge import judge

    facts = gather.gather(advance=advance)
    judged = [judge(entry, facts, library.distribution_of).architecture for entry in facts.values()]
    found = installed_version()
    assert found is not None
    return Catalog(found, "introspected", tuple(sorted(judged, key=lambda entry: entry.model_type.casefold())))


def open_catalog(name: str) -> Catalog:
    """The catalogue of a version (`5.23.0`), of the installed version (`installed`), or in a file.

    Raises:
        UsageError: no such file, and no catalogue of such a version is known here.
    """
    if name == INSTALLED:
        return load()
    shipped = snapshot.shipped()
    if name in shipped:
        return snapshot.read(shipped[name], "shipped snapshot")
    if name == installed_version():
        return load()
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"no catalogue {name!r}",
            hint=f"give a file made by `muster catalog snapshot`, or a version: {', '.join([*shipped, INSTALLED])}",
        )
    return snapshot.read(path, "file")


def installed_version() -> str | None:
    """The version of transformers that is installed, read without importing it."""
    try:
        return version("transformers")
    except PackageNotFoundError:
        return None


def cache_path(transformers: str) -> Path:
    """Where the result of introspecting that version is kept; a change of this package's code changes the name."""
    return user_cache() / "catalog" / snapshot.file_name(transformers, _code_key())


def _known(installed: str) -> Catalog | None:
    kept = cache_path(installed)
    if kept.is_file():
        try:
            return snapshot.read(kept, "cache")
        except UsageError:
            kept.unlink(missing_ok=True)  # torn or damaged: what cannot be read is made again
    shipped = snapshot.shipped()
    return snapshot.read(shipped[installed], "shipped snapshot") if installed in shipped else None


def _keep(catalog: Catalog) -> None:
    """Store for the next time, unless something cannot be imported today that may be tomorrow."""
    from modelmuster.catalog.judge import NOT_IMPORTED

    if any(entry.note is not None and entry.note.startswith(NOT_IMPORTED) for entry in catalog):
        return
    try:
        snapshot.write(catalog, cache_path(catalog.transformers))
    except UsageError as error:
        warnings.warn(f"the catalogue is not kept for the next time: {error}", stacklevel=3)


@cache
def _code_key() -> str:
    """A hash over the code that makes a catalogue."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
