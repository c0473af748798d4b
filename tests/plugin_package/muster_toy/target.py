"""The toy runtime: it brings its own subjects, so that no transformers model is built and torch is not needed."""

import itertools
import os
import signal
from contextlib import suppress

import numpy as np
import psutil

from modelmuster.contracts import Capability, Output, Probe
from modelmuster.errors import CannotBuild, ReferenceUnstable, Unsupported
from modelmuster.records import (
    Architecture,
    DeviceKind,
    Evidence,
    Inference,
    Modality,
    Recipe,
    Stage,
    TensorSpec,
)
from modelmuster.targets import offers
from muster_toy.checks import folder


class ToySubject:
    """A model that doubles its input. Some model types misbehave while they are built, opened or run."""

    def __init__(self, cell):
        self.architecture = Architecture(
            model_type=cell.model_type,
            config_class="ToyConfig",
            module="muster_toy",
            family=cell.family,
            top_level=True,
        )
        self.inputs = {"x": np.arange(6, dtype=np.float32).reshape(2, 3) + cell.seed}
        self.recipe = Recipe(
            model_type=cell.model_type,
            model_class=cell.model_class,
            scale=cell.scale,
            seed=cell.seed,
            config={},
            inputs=(TensorSpec(name="x", shape=(2, 3), dtype="float32"),),
            layout="toy",
            modalities=(Modality.TEXT,),
            parameters=0,
            hash="0" * 64,
        )

    @property
    def module(self):
        raise NotImplementedError

    def reference(self, inputs):
        if self.architecture.model_type == "unstable":
            raise ReferenceUnstable("two runs differ by 0.5 in y")
        if self.architecture.model_type == "no-reference":
            raise ValueError("no float64 kernel")
        return {"y": Output(array=2.0 * inputs["x"].astype(np.float64), dtype="float64")}

    def rounding(self, inputs, dtype):
        return {"y": 1e-7}


class ToySession:
    """Doubles; writes every output into the same buffer, as runtimes do."""

    capabilities = frozenset({Capability.RESHAPE})

    def __init__(self, subject):
        self.model_type = subject.architecture.model_type
        self.buffer = np.zeros(1024, dtype=np.float32)
        self.device_name = "toy abacus"

    def run(self, inputs):
        if self.model_type == "unsupported":
            raise Unsupported("the toy cannot double this")
        x = inputs["x"]
        y = self.buffer[: x.size].reshape(x.shape)
        np.multiply(x, 2, out=y)
        x[...] = -1
        return {"y": Output(array=y, dtype="float32")}

    def evidence(self):
        if self.model_type == "no-evidence":
            raise RuntimeError("the device has gone")
        return Evidence(device_name=self.device_name, device_kind=DeviceKind.HARDWARE, precision="float32")

    def close(self):
        if self.model_type == "dies-at-the-end":
            os.kill(os.getpid(), signal.SIGSEGV)


class ToyCpu:
    """The toy on the CPU."""

    name = "toy:cpu"
    inference = Inference.REAL
    dtypes = ("float32",)
    start_method = "fork"
    resources = frozenset()
    preload = ()

    def probe(self):
        return Probe(available=True, reason="an abacus", device_name="toy abacus", device_kind=DeviceKind.HARDWARE)

    def subject(self, cell, architecture, entering):
        if cell.model_type == "segv-in-build":
            os.kill(os.getpid(), signal.SIGSEGV)
        if cell.model_type == "cannot-build":
            entering(Stage.INPUTS)
            raise CannotBuild("the beads are missing")
        return ToySubject(cell)

    def open(self, subject, dtype, entering):
        if subject.architecture.model_type == "segv-in-compile":
            entering(Stage.COMPILE)
            os.kill(os.getpid(), signal.SIGSEGV)
        return ToySession(subject)


class ToyFresh(ToyCpu):
    """Cannot live in a forked process."""

    name = "toy:fresh"
    start_method = "spawn"


class ToyLab(ToyCpu):
    """Has one laboratory for itself."""

    name = "toy:lab"
    resources = frozenset({"laboratory"})


class ToyCard(ToyCpu):
    """Has a card, which is there as long as nothing has pulled it out."""

    name = "toy:card"
    resources = frozenset({"card"})

    def probe(self):
        if (folder() / "card-is-gone").exists():
            return Probe(available=False, reason="no card in the slot")
        return super().probe()

    def open(self, subject, dtype, entering):
        offers.require(self, dtype)
        if subject.architecture.model_type == "pulls-the-card":
            (folder() / "card-is-gone").touch()
            raise RuntimeError("the driver does not answer")
        return super().open(subject, dtype, entering)


class ToyAbsent(ToyCpu):
    """Is not there."""

    name = "toy:absent"

    def probe(self):
        return Probe(available=False, reason="no abacus found", missing=("abacus",), remedy="buy an abacus")


class ToyMock(ToyCpu):
    """Runs nothing."""

    name = "toy:mock"
    inference = Inference.MOCK


class ToyHall(ToyCpu):
    """Its cells share a doorkeeper, who counts them; where one of them served becomes the name of the device."""

    name = "toy:hall"
    companion = None

    def accompany(self, cells):
        for count in itertools.count(1):
            try:
                word = cells.recv_bytes()
            except EOFError:
                return
            if word == b"doorkeeper-dies":
                os.kill(os.getpid(), signal.SIGKILL)
            cells.send_bytes(f"{os.getpid()} {count}".encode())

    def open(self, subject, dtype, entering):
        session = super().open(subject, dtype, entering)
        self.companion.send_bytes(subject.architecture.model_type.encode())
        session.device_name = self.companion.recv_bytes().decode()
        return session


PAGES = {
    "page-hangs": "() => { for (;;); }",
    "page-eats": """async () => {
        for (const kept = [];;) {
            kept.push(new Uint8Array(1 << 24).fill(1));
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
    }""",
}


class ToyPage(ToyCpu):
    """Its cells share a browser, each with a page of its own; some model types misbehave in it."""

    name = "toy:page"
    companion = None

    def accompany(self, cells):
        from modelmuster.targets.browser import browsers
        from modelmuster.targets.browser.lending import Lender

        Lender(browsers.preferred("wasm", "chromium")).serve(cells)

    def open(self, subject, dtype, entering):
        from modelmuster.targets.browser.lending import LentPage

        page = LentPage(self.companion, "data:text/html,<script>window.ready = true</script>")
        [browser] = _browsers()
        session = super().open(subject, dtype, entering)
        session.device_name = f"{browser.pid} {page.evaluate('Object.keys(window.name).length')}"
        page.evaluate("window.name = 'visited'")
        if subject.architecture.model_type == "page-crashes":
            for process in browser.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "--type=renderer" in process.cmdline():
                        process.kill()
        page.evaluate(PAGES.get(subject.architecture.model_type, "() => 0"))
        page.close()
        return session


def _browsers():
    """The main processes of all browsers beside this cell."""
    found = []
    for process in psutil.Process(os.getppid()).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # what has ended and is still to be waited for
            words = " ".join(process.cmdline())
            if "--user-data-dir=" in words and "--type=" not in words:
                found.append(process)
    return found
