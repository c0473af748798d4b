"""The targets `wasm:<browser>`, `webgpu:<browser>` and `webnn:<browser>`."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar, Literal

from modelmuster.contracts import Probe, Subject
from modelmuster.errors import Unavailable, Unsupported
from modelmuster.records import Inference, Stage
from modelmuster.targets.browser import browsers, devices, probing
from modelmuster.targets.browser.lending import Lender
from modelmuster.targets.browser.session import BrowserSession


class WasmChromium:
    """`wasm:chromium`: the processor, through WebAssembly; what the other two are compared with."""

    name = "wasm:chromium"
    provider: ClassVar[devices.Provider] = devices.WASM
    inference = Inference.REAL
    # A page tells no other precision from this one.
    dtypes: tuple[str, ...] = ("float32",)
    start_method: Literal["fork", "spawn"] = "fork"
    resources: frozenset[str] = frozenset()
    preload: tuple[str, ...] = (
        "torch",
        "transformers",
        "modelmuster.targets.export.preload",
        "modelmuster.targets.browser.session",
        "playwright.async_api",
    )
    # Shaders of software adapters take seconds to build.
    on_request: Literal[True] = True
    cache_dir: Path | None = None
    companion: Connection | None = None

    @property
    def browser(self) -> str:
        """The browser's half of the name."""
        return self.name.partition(":")[2]

    def probe(self) -> Probe:
        """What the browser offers, asked of an empty page, or what is missing."""
        return probing.probe(self.provider, self.browser)

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> BrowserSession:
        """Export the subject, or take its export from the cache, and load it in a fresh page.

        Raises:
            Unsupported: a dtype that is not offered, or an operator without a kernel.
            Unavailable: the browser, its backend, the runtime's files or a package for the export is not there.
            ExportFailed: the model cannot be converted.
            Crashed: the page died of it.
        """
        if dtype not in self.dtypes:
            raise Unsupported(f"{self.name} offers {', '.join(self.dtypes)}, not {dtype}")
        if missing := probing.lacking(self.provider, self.browser):
            raise Unavailable(f"{self.name} is not available: {missing.reason}", hint=missing.remedy)
        installed = browsers.preferred(self.provider.runtime, self.browser)
        assert installed is not None
        from modelmuster.targets.export import exported

        artifact = exported(subject, dtype, entering, self.cache_dir)
        entering(Stage.LOAD)
        return BrowserSession(artifact, subject, self.provider, installed, self.companion)

    def accompany(self, cells: Connection) -> None:
        """Hold a browser for one cell after another; each gets a page of its own."""
        installed = browsers.preferred(self.provider.runtime, self.browser)
        assert installed is not None
        Lender(installed).serve(cells)


class WebGpuChromium(WasmChromium):
    """`webgpu:chromium`."""

    name = "webgpu:chromium"
    provider = devices.WEBGPU
    resources = frozenset({"gpu"})
    software_cell_s: float = 12.0
    """The median of bert, clip, llama, t5, vit and whisper (forward and reference), one at a time, on SwiftShader on
    two cores that others used too: 7 to 16 s."""


class WebNnChromium(WasmChromium):
    """`webnn:chromium`."""

    name = "webnn:chromium"
    provider = devices.WEBNN


class WasmChrome(WasmChromium):
    """`wasm:chrome`."""

    name = "wasm:chrome"


class WebGpuChrome(WebGpuChromium):
    """`webgpu:chrome`."""

    name = "webgpu:chrome"


class WebNnChrome(WebNnChromium):
    """`webnn:chrome`."""

    name = "webnn:chrome"


class WasmEdge(WasmChromium):
    """`wasm:edge`."""

    name = "wasm:edge"


class WebGpuEdge(WebGpuChromium):
    """`webgpu:edge`."""

    name = "webgpu:edge"


class WebNnEdge(WebNnChromium):
    """`webnn:edge`."""

    name = "webnn:edge"


class WasmFirefox(WasmChromium):
    """`wasm:firefox`."""

    name = "wasm:firefox"


class WebGpuFirefox(WebGpuChromium):
    """`webgpu:firefox`."""

    name = "webgpu:firefox"
