"""The files that a browser needs and pip does not bring: pinned packages of the npm registry, fetched without npm.

They are kept by name and version in the user's cache. What was kept is complete: it is renamed into its place last.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from modelmuster import dependencies
from modelmuster.errors import InfrastructureError, MusterError
from modelmuster.settings import user_cache

REGISTRY = "https://registry.npmjs.org"
TIMEOUT_SECONDS = 60.0

INSTALL = "muster browsers install"
"""What to type where they are missing."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the npm registry, or as much of it as is used."""

    name: str
    version: str
    integrity: str
    """As the registry gives it: algorithm and digest of the archive, in base64."""
    megabytes: int
    """Of the archive, to tell before it is fetched."""
    plain: Mapping[str, str] = field(default_factory=dict)
    """Files to keep, by the path in the archive."""
    squeezed: Mapping[str, str] = field(default_factory=dict)
    """The same for files in Brotli's format; a name that ends in `/` is a folder, and the file an archive."""

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return user_cache() / "browsers" / f"{self.name.rpartition('/')[2]}-{self.version}"

    @property
    def is_kept(self) -> bool:
        """Whether all its files are there."""
        return all((self.folder / name).exists() for name in (*self.plain.values(), *self.squeezed.values()))

    @property
    def address(self) -> str:
        """Where the archive is; `$npm_config_registry` moves the registry, as it does for npm."""
        small, large = os.environ.get("npm_config_registry"), os.environ.get("NPM_CONFIG_REGISTRY")  # noqa: SIM112 - npm's
        registry = small or large or REGISTRY
        return f"{registry.rstrip('/')}/{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


RUNTIME = Package(
    name="onnxruntime-web",
    version="1.30.0",
    integrity="sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    megabytes=33,
    plain={
        f"package/dist/{name}": name
        for name in ("ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi.mjs", "ort-wasm-simd-threaded.jspi.wasm")
    },
)
"""The smallest of its builds that has all three providers. It needs JavaScript Promise Integration, which Chromium has
since version 137."""

CHROMIUM = Package(
    name="@sparticuz/chromium",
    version="153.0.0",
    integrity="sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==",
    megabytes=70,
    squeezed={"package/bin/chromium.br": "chromium", "package/bin/swiftshader.tar.br": "./"},
)
"""A headless Chromium for Linux on x86-64 that has a WebNN backend, which the Chromium of distributions lacks."""


def bring(package: Package) -> Path:
    """Fetch a package, check it and keep it; does nothing where it is kept.

    Raises:
        InfrastructureError: the registry cannot be reached, the archive is another one, or the disk takes no more.
        MissingDependency: Brotli is needed and not installed.
    """
    if package.is_kept:
        return package.folder
    if package.squeezed and not dependencies.is_installed("brotli"):
        raise dependencies.missing("brotli", purpose=f"unpacking {package.name}")
    try:
        package.folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=package.folder.parent, prefix="unfinished-"))
        try:
            _unpack(package, _fetched(package), aside)
            shutil.rmtree(package.folder, ignore_errors=True)
            aside.chmod(0o755)
            aside.rename(package.folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise InfrastructureError(
            f"{package.name} cannot be kept in {package.folder.parent}: {error.strerror or error}",
            hint="make room there, or move the folder: XDG_CACHE_HOME=/path muster …",
        ) from error
    return package.folder


def _fetched(package: Package) -> bytes:
    """The archive, which is the very one that was pinned."""
    try:
        with urllib.request.urlopen(package.address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - https, or the user's own registry
            content: bytes = answer.read()
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise InfrastructureError(
            f"{package.address} cannot be fetched: {error}",
            hint="a registry elsewhere: npm_config_registry=https://… muster browsers install",
        ) from error
    algorithm, _, digest = package.integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    if found != digest:
        raise InfrastructureError(
            f"{package.address} is not the archive that was pinned: its {algorithm} is {found}, not {digest}",
            hint="nothing of it was kept; try again, or another registry",
        )
    return content


def _unpack(package: Package, content: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for path, name in package.plain.items():
            with _member(package, archive, path) as file, (folder / name).open("wb") as kept:
                shutil.copyfileobj(file, kept)
        for path, name in package.squeezed.items():
            import brotli

            with _member(package, archive, path) as file:
                loose: bytes = brotli.decompress(file.read())
            if name.endswith("/"):
                with tarfile.open(fileobj=io.BytesIO(loose)) as inner:
                    inner.extractall(folder / name, filter="data")
            else:
                (folder / name).write_bytes(loose)
                (folder / name).chmod(0o755)


def _member(package: Package, archive: tarfile.TarFile, path: str) -> IO[bytes]:
    file = archive.extractfile(path)
    if file is None:
        raise MusterError(f"{package.name} {package.version} has no file {path}")
    return file
