"""Exports by content: made once, whoever asks first; what two processes failed at alike is not tried again."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import msgspec

from modelmuster.contracts import Subject
from modelmuster.errors import ExportFailed, Unavailable
from modelmuster.records import Record, Stage
from modelmuster.targets.export import onnx_file, running
from modelmuster.targets.export.artifact import Artifact, Manifest, ports, read, sha256, write
from modelmuster.targets.export.eight_bits import with_eight_bits
from modelmuster.targets.export.identity import PACKAGES, key, versions

if TYPE_CHECKING:
    from modelmuster.targets.export.routes import Graph

FAILURES_TO_BELIEVE = 2
"""A failure is remembered once so many processes have met the same one: one alone may have been of the moment."""

SAID_CHARACTERS = 1_200
"""How much of what an exporter said is kept; some print the whole graph."""


class Failure(Record, frozen=True, kw_only=True):
    """What the exporters said, each time the same."""

    message: str
    times: int
    versions: dict[str, str]
    """For the reader; another version is another key."""


def exported(
    subject: Subject,
    dtype: str,
    entering: Callable[[Stage], None],
    cache_dir: Path | None = None,
    *,
    open_axes: bool = False,
) -> Artifact:
    """The subject as an ONNX graph in this dtype: from the cache, or made now and kept there.

    `int8` is the graph of float32 with weights of eight bits, see `eight_bits`.

    Args:
        subject: What to export.
        dtype: Of its weights and arithmetic.
        entering: Told that the export begins.
        cache_dir: Where exports are kept, in a folder of their own; None to keep this one only as long as it is used.
        open_axes: Leave the sizes of the inputs open, as far as the exporter does.

    Raises:
        ExportFailed: no exporter can convert it, now or whenever it was tried with the same versions.
        Unavailable: a package is missing, or the disk takes no more.
        Unsupported: weights of eight bits are asked for, and the graph has none that could be.
    """
    if dtype == "int8":
        return with_eight_bits(exported(subject, "float32", entering, cache_dir, open_axes=open_axes))
    entering(Stage.EXPORT)
    missing = [name for name in PACKAGES if name not in versions()]
    if missing:
        raise Unavailable(f"an export needs {', '.join(missing)}", hint="type: pip install 'modelmuster[onnx]'")
    if cache_dir is None:
        keeper = tempfile.TemporaryDirectory(prefix="muster-export-")
        made = _made(subject, dtype, Path(keeper.name), open_axes=open_axes)
        return Artifact(made.folder, made.manifest, keeper)
    root = cache_dir / "exports"
    folder = root / key(subject, f"{dtype}, open axes" if open_axes else dtype)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_suffix(".lock")):
            return read(folder) or _kept(subject, dtype, folder, open_axes=open_axes)
    except OSError as error:
        raise Unavailable(
            f"the exported model cannot be kept in {root}: {error.strerror or error}",
            hint="make room there, or move the folder: MUSTER_HOME=/path muster …",
        ) from error


def _kept(subject: Subject, dtype: str, folder: Path, *, open_axes: bool) -> Artifact:
    """Export into the folder, or raise what is known to be raised; the caller holds the lock."""
    note = folder.with_suffix(".failed.json")
    known = _known(note)
    if known is not None and known.times >= FAILURES_TO_BELIEVE:
        raise ExportFailed(known.message, hint=f"seen in {known.times} processes; delete {note} to try again")
    shutil.rmtree(folder, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unfinished-"))
    try:
        made = _made(subject, dtype, aside, open_axes=open_axes)
        aside.rename(folder)
    except ExportFailed as error:
        times = known.times + 1 if known is not None and _alike(known.message, error.message) else 1
        note.write_bytes(msgspec.json.encode(Failure(message=error.message, times=times, versions=versions())))
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    note.unlink(missing_ok=True)
    return Artifact(folder, made.manifest)


def _known(note: Path) -> Failure | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Failure)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _made(subject: Subject, dtype: str, folder: Path, *, open_axes: bool) -> Artifact:
    """Export into an empty folder.

    Raises:
        ExportFailed: no exporter can convert it.
        OSError: the folder takes no more.
    """
    from modelmuster.numerics.precision import in_dtype
    from modelmuster.numerics.tensors import dtype_named
    from modelmuster.targets.export.routes import OPEN_ROUTES, ROUTES, quiet

    setbacks: dict[str, str] = {}
    flawed: tuple[str, Graph] | None = None
    for route in OPEN_ROUTES if open_axes else ROUTES:
        try:
            with quiet():
                # A copy for each: exporters patch what they trace, and leave traces where they fail.
                graph = route.export(in_dtype(subject.module, dtype_named(dtype)), subject.inputs, dtype)
                onnx_file.strip(graph.program)
        except Exception as error:
            if _of_the_moment(error):
                raise
            setbacks[route.name], last = said(error), error
            continue
        made = _written(folder, route.name, graph, setbacks, dtype)
        problem = running.flaw(made, subject)
        if not problem:
            return made
        setbacks[route.name] = f"its graph does not run: {_shortened(problem)}"
        flawed = flawed or (route.name, graph)
    if flawed is not None:
        # None is better: each runtime is to say for itself what it makes of the first.
        name, graph = flawed
        return _written(folder, name, graph, setbacks, dtype)
    raise ExportFailed("\n".join(f"{name}: {words}" for name, words in setbacks.items())) from last


def _written(folder: Path, route: str, graph: Graph, setbacks: dict[str, str], dtype: str) -> Artifact:
    """The graph on the disk, instead of what was there."""
    for path in folder.iterdir():
        path.unlink()
    files = onnx_file.save(graph.program, folder)
    manifest = Manifest(
        route=route,
        setbacks=dict(setbacks),
        dtype=dtype,
        inputs=ports(graph.program.graph.inputs, graph.inputs),
        outputs=ports(graph.program.graph.outputs, graph.outputs),
        constants=graph.constants,
        corrected=graph.corrected,
        prepared=graph.prepared,
        opset=graph.program.opset_imports[""],
        versions=versions(),
        files={name: sha256(folder / name) for name in files},
    )
    return write(folder, manifest)


def said(error: BaseException) -> str:
    """The words of the innermost cause: exporters wrap it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _shortened(f"{type(error).__name__}: {error}".strip())


def _shortened(text: str) -> str:
    return text if len(text) <= SAID_CHARACTERS else f"{text[:SAID_CHARACTERS]} …"


def _of_the_moment(error: Exception) -> bool:
    """Whether the machine and not the model is to blame: no memory, no room on the disk."""
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM}
    return full or isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def _alike(first: str, second: str) -> bool:
    """Equal but for numbers and addresses."""
    return re.sub(r"0x\w+|\d+", "#", first) == re.sub(r"0x\w+|\d+", "#", second)
