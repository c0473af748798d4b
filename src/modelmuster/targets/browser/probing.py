"""What a browser offers, asked of an empty page: version, adapter, WebNN backend."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmuster import dependencies
from modelmuster.contracts import Probe
from modelmuster.errors import MusterError
from modelmuster.targets import building
from modelmuster.targets.browser import browsers
from modelmuster.targets.browser.browsers import Installed
from modelmuster.targets.browser.devices import Provider, adapter_kind, adapter_name, device
from modelmuster.targets.browser.driver import call, only_page
from modelmuster.targets.browser.packages import INSTALL, RUNTIME
from modelmuster.targets.browser.server import Server

_PAGE = Path(__file__).parent / "page"


def lacking(provider: Provider, browser: str) -> Probe | None:
    """What is missing, as far as that can be told without starting a browser; None where all is there."""
    if not dependencies.is_installed("playwright"):
        return Probe(
            available=False,
            reason="playwright, which drives browsers, is not installed",
            missing=("playwright",),
            remedy=dependencies.install_command("playwright"),
        )
    if browsers.preferred(provider.runtime, browser) is None:
        return Probe(
            available=False,
            reason=f"no {browser} is installed here",
            missing=(browser,),
            remedy=f"{INSTALL} --chromium" if browser == "chromium" else "",
        )
    if not RUNTIME.is_kept:
        return Probe(
            available=False,
            reason=f"{RUNTIME.name} {RUNTIME.version}, which computes in the page, was not brought",
            missing=(RUNTIME.name,),
            remedy=INSTALL,
        )
    return building.lacking("the browser")


def probe(provider: Provider, browser: str) -> Probe:
    """Start the browser and ask what it offers for this provider; never raises."""
    if missing := lacking(provider, browser):
        return missing
    installed = browsers.preferred(provider.runtime, browser)
    assert installed is not None
    try:
        version, offered = ask(installed)
    except MusterError as error:
        return Probe(available=False, reason=f"{installed.path}: {error.message}", remedy=error.hint)
    details = {"browser": version, "path": str(installed.path), "onnxruntime-web": RUNTIME.version, **told(offered)}
    if provider.runtime == "webgpu" and not offered["adapters"]:
        return Probe(available=False, reason=f"{version} has no WebGPU adapter here", details=details)
    if provider.runtime == "webnn" and not offered["accelerated"]:
        remedy = f"{INSTALL} --chromium" if browser == "chromium" else ""
        reason = f"{version} has no WebNN backend: {offered['refusal']}"
        return Probe(available=False, reason=reason, missing=("a WebNN backend",), remedy=remedy, details=details)
    found = device(provider, offered, version)
    return Probe(
        available=True,
        reason=f"{found.name} ({found.kind})",
        device_name=found.name,
        device_kind=found.kind,
        details=details,
    )


@functools.cache
def ask(installed: Installed) -> tuple[str, dict[str, Any]]:
    """Name and version of a browser, and what its page finds; asked once, whatever runs in it.

    Raises:
        MusterError: it does not start, or does not answer.
    """
    server = Server({path.name: path for path in _PAGE.iterdir()})
    try:
        with only_page(installed, server.address("offers.html")) as page:
            return page.version, call(page, "offers")
    finally:
        server.close()


def told(offered: Mapping[str, Any]) -> dict[str, str]:
    """The details of adapter and backend, as words."""
    words = {"isolated": str(offered["isolated"]).lower(), "adapter": "none"}
    for adapter in offered["adapters"]:
        known = ", ".join(f"{name} {value}" for name, value in adapter.items() if value)
        words["adapter"] = f"{adapter_name(adapter)}, {adapter_kind(adapter)}: {known}"
        words["features"] = ", ".join(offered["features"])
        words["shader-f16"] = "yes" if "shader-f16" in offered["features"] else "no"
        words["limits"] = ", ".join(f"{name} {value}" for name, value in offered["limits"].items())
    words["webnn"] = (
        f"a backend with {offered['operators']} operators" if offered["accelerated"] else offered["refusal"]
    )
    return words
