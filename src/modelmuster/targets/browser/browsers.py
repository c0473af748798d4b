"""Which browsers are installed here, and how each is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelmuster.targets.browser.packages import CHROMIUM

VARIABLE = "MUSTER_CHROMIUM"
"""The executable to use as `chromium`, before any other."""

BROWSERS = ("chromium", "chrome", "edge", "firefox")

FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but the loopback: names are not looked up, and addresses lead to a proxy that is not there.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=127.0.0.1",
    # Without the first there is no adapter where there is no GPU; the second fills in what the adapter is.
    "--enable-unsafe-webgpu",
    "--enable-webgpu-developer-features",
    "--enable-features=WebMachineLearningNeuralNetwork",
)

PREFERENCES: Mapping[str, str | int | bool] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.share_proxy_settings": True,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "dom.webgpu.enabled": True,
    "javascript.options.wasm_js_promise_integration": True,
}
"""The same for Firefox, which takes them as preferences."""

_NAMES = {
    "chromium": ("chromium", "chromium-browser"),
    "chrome": ("google-chrome", "google-chrome-stable", "chrome"),
    "edge": ("microsoft-edge", "microsoft-edge-stable", "msedge"),
    "firefox": ("firefox", "firefox-esr"),
}
_MACOS = {
    "chromium": "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "chrome": "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "edge": "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "firefox": "/Applications/Firefox.app/Contents/MacOS/firefox",
}
_WINDOWS = {
    "chromium": "Chromium/Application/chrome.exe",
    "chrome": "Google/Chrome/Application/chrome.exe",
    "edge": "Microsoft/Edge/Application/msedge.exe",
    "firefox": "Mozilla Firefox/firefox.exe",
}


@dataclass(frozen=True, slots=True)
class Installed:
    """A browser on this machine."""

    browser: str
    """One of `BROWSERS`."""
    path: Path
    brought: bool = False
    """Whether it is the one that this package brought."""

    @property
    def arguments(self) -> list[str]:
        """What it is started with."""
        # Chromium's own sandbox does not start as root, nor from inside most containers.
        unboxed = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        return [*FLAGS, *unboxed]

    @property
    def environment(self) -> dict[str, str]:
        """Its environment: the one that was brought finds its libraries beside itself."""
        here = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return {**here, "LD_LIBRARY_PATH": str(self.path.parent)} if self.brought else here


def installed(browser: str) -> Iterator[Installed]:
    """The browsers of this name, the preferred one first; each once, whatever links lead to it."""
    seen: set[Path] = set()
    for found in _candidates(browser):
        if (real := found.path.resolve()) not in seen and real.is_file():
            seen.add(real)
            yield found


def preferred(runtime: str, browser: str) -> Installed | None:
    """The browser to run this runtime in; None where there is none.

    WebNN wants the one that was brought: the Chromium of distributions is built without a backend for it.
    """
    found = list(installed(browser))
    if runtime == "webnn":
        found.sort(key=lambda one: not one.brought and str(one.path) != os.environ.get(VARIABLE))
    return found[0] if found else None


def _candidates(browser: str) -> Iterator[Installed]:
    if browser == "chromium" and (named := os.environ.get(VARIABLE)):
        yield Installed(browser, Path(named))
    for name in _NAMES[browser]:
        if path := shutil.which(name):
            yield Installed(browser, Path(path))
    if sys.platform == "darwin":
        yield Installed(browser, Path(_MACOS[browser]))
    if sys.platform == "win32":
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            if root := os.environ.get(variable):
                yield Installed(browser, Path(root) / _WINDOWS[browser])
    if browser == "chromium" and CHROMIUM.is_kept:
        yield Installed(browser, CHROMIUM.folder / "chromium", brought=True)
