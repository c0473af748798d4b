"""One exported graph in one fresh page, with what the page saw of it."""

from __future__ import annotations

import base64
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from modelmuster.contracts import Capability, Inputs, Outputs, Subject
from modelmuster.errors import CellFailure, Crashed, Misplaced
from modelmuster.records import Evidence
from modelmuster.targets.browser import placement
from modelmuster.targets.browser.browsers import Installed
from modelmuster.targets.browser.devices import Provider, device
from modelmuster.targets.browser.driver import Page, call, only_page
from modelmuster.targets.browser.lending import LentPage
from modelmuster.targets.browser.packages import RUNTIME
from modelmuster.targets.browser.server import Server
from modelmuster.targets.export import Artifact

_PAGE = Path(__file__).parent / "page"
_COUNTED = {
    "dispatches": "compute dispatches",
    "submits": "queue submissions",
    "pipelines": "compute pipelines",
    "graphs": "WebNN graphs",
    "graphDispatches": "WebNN dispatches",
}


class BrowserSession:
    """Implements `contracts.Session`. The page and its server live and die with it."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(
        self,
        artifact: Artifact,
        subject: Subject,
        provider: Provider,
        installed: Installed,
        lender: Connection | None = None,
    ) -> None:
        """Load the artifact in a fresh page.

        Args:
            artifact: the graph with its weights.
            subject: what it was exported from.
            provider: how onnxruntime-web is to compute.
            installed: the browser to start.
            lender: the way to a process that holds it already; None to start it for this session.

        Raises:
            Unavailable: the browser does not start, or has not got the provider.
            Unsupported, CellFailure: the runtime does not take the graph.
            Crashed: the page died of it.
        """
        self._artifact, self._subject, self._provider = artifact, subject, provider
        self._seen: dict[str, Any] = {}
        with ExitStack() as ends:
            server = Server(
                {path.name: path for path in (*_PAGE.iterdir(), *RUNTIME.folder.iterdir())}
                | {name: artifact.folder / name for name in artifact.manifest.files}
            )
            ends.callback(server.close)
            address = server.address("index.html")
            self.page: Page
            if lender is None:
                self.page = ends.enter_context(only_page(installed, address))
            else:
                self.page = LentPage(lender, address)
                ends.callback(self.page.close)
            weights = [name for name in artifact.manifest.files if name != artifact.model.name]
            log = call(
                self.page,
                "load",
                {
                    "model": server.address(artifact.model.name),
                    "external": [{"path": name, "data": server.address(name)} for name in weights],
                    "provider": provider.option,
                },
            )
            self._placement = placement.read(log, provider.label)
            self._ends = ends.pop_all()
        self._open = True

    def run(self, inputs: Inputs) -> Outputs:
        """Run one forward pass and wait for it to end.

        Raises:
            Unsupported: other shapes than the graph's, or no kernel for an operator.
            Misplaced: too little of it ran on what was asked for.
            Crashed: the page or its device died.
        """
        if not self._open:
            raise CellFailure("this session is closed")
        fed = self._artifact.feed(self._subject, inputs)
        names = [port.name for port in self._artifact.manifest.outputs]
        returned = call(self.page, "run", {"feeds": [_sent(*named) for named in fed.items()], "names": names})
        before, self._seen = self._seen, call(self.page, "seen")
        if self._seen["lost"] is not None:
            raise Crashed(f"the device was lost: {self._seen['lost']}")
        self._insist(before)
        return self._artifact.outputs({output["name"]: _received(output) for output in returned})

    def _insist(self, before: dict[str, Any]) -> None:
        """Hold the runtime to what it was asked for, by its own word and by what the page has counted."""
        asked, placed = self._provider, self._placement
        if placed.share < asked.least_share:
            raise Misplaced(
                f"asked of {asked.label}, but only {placed.on_target} of {placed.total} nodes are on it; elsewhere: "
                f"{', '.join(placed.elsewhere) or 'not told'}"
            )
        if asked.work is not None:
            count = self._seen["counts"][asked.work] - before.get("counts", {}).get(asked.work, 0)
            if not count and placed.on_target:
                raise Misplaced(f"{placed.on_target} nodes are said to be on {asked.label}, but nothing was sent to it")

    def evidence(self) -> Evidence:
        """Device, share of the nodes and counts, as the page has seen them at the last run."""
        if not self._seen:
            raise CellFailure("nothing has run, so there is no evidence of where it would")
        found = device(self._provider, self._seen, self.page.version)
        return Evidence(
            device_name=found.name,
            device_kind=found.kind,
            # The graph's: nothing tells what a shader or a backend computes in, but the numbers themselves.
            precision=self._artifact.manifest.dtype,
            route=f"{self._artifact.route}; onnxruntime-web {RUNTIME.version}",
            nodes_total=self._placement.total,
            nodes_on_target=self._placement.on_target,
            fallbacks=self._placement.elsewhere,
            counts={_COUNTED[name]: count for name, count in self._seen["counts"].items()},
        )

    def close(self) -> None:
        """End page and server, and the browser that was started for them."""
        self._open = False
        self._ends.close()


def _sent(name: str, array: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(array.tobytes()).decode()
    return {"name": name, "type": str(array.dtype), "dims": list(array.shape), "data": data}


def _received(output: dict[str, Any]) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(output["data"]), output["type"])
    return data.reshape(output["dims"])
