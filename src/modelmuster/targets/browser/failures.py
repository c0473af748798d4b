"""What goes wrong inside a page, as the exception that means it."""

from __future__ import annotations

import re

from modelmuster.errors import CellFailure, Crashed, Unavailable, Unsupported

_CHARACTERS = 1_500

_GONE = ("Target crashed", "Target closed", "Target page, context or browser has been closed")
_NO_BACKEND = ("no available backend found", "WebNN is not supported", "WebGPU is not supported", "GPU adapter")
_NO_MEMORY = ("Array buffer allocation failed", "bad_alloc", "out of memory", "Out of memory", "OOM")
_LOST = ("device is lost", "device was lost", "Device lost", "A valid external Instance reference no longer exists")
_TRAPPED = ("RuntimeError: unreachable", "memory access out of bounds", "Aborted(")
"""How WebAssembly ends where native code would end with a signal."""
_NO_KERNEL = ("NOT_IMPLEMENTED", "Could not find an implementation", "is not supported", "not supported:")


def translated(message: str, *, crashed: bool = False) -> Exception:
    """The exception for what Playwright says."""
    said = _said(message)
    if crashed or _has(message, _GONE):
        return Crashed(f"the page crashed: {said}")
    if _has(message, _LOST):
        return Crashed(f"the GPU device was lost: {said}")
    if _has(message, _NO_MEMORY):
        return MemoryError(f"the page has no more memory: {said}")
    if _has(message, _TRAPPED):
        return Crashed(f"the runtime inside the page crashed: {said}")
    if _has(message, _NO_BACKEND):
        return Unavailable(said)
    if _has(message, _NO_KERNEL):
        return Unsupported(said)
    return CellFailure(said)


def not_started(message: str) -> Unavailable:
    """The exception for a browser that does not come up, with what it has printed."""
    printed = [line.partition("[err]")[2].strip() for line in message.splitlines() if "[err]" in line]
    said = _said(re.split("Browser logs:|Call log:", message)[0])
    if "Protocol error" in said:
        return Unavailable(
            f"this version of Playwright cannot drive the browser: {said}",
            hint="another version of either may do; see: muster browsers",
        )
    return Unavailable(
        f"the browser does not start: {said} {' '.join(printed)}".rstrip(),
        hint="is it a browser, and are its libraries here? see: muster browsers",
    )


def _has(message: str, marks: tuple[str, ...]) -> bool:
    return any(mark in message for mark in marks)


def _said(message: str) -> str:
    """The words themselves: without Playwright's prefix and the JavaScript stack."""
    words = re.sub(r"^(?:Page|BrowserType)\.\w+: ", "", message)
    kept = [line for line in words.splitlines() if not re.match(r"\s+at ", line)]
    text = " ".join(" ".join(kept).split())
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]} …"
