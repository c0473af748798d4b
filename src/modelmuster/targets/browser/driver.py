"""One browser with one page, held by Playwright in a thread of its own, so that nothing else notices its event loop."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil

from modelmuster import dependencies
from modelmuster.targets.browser import failures
from modelmuster.targets.browser.browsers import Installed

T = TypeVar("T")

_PROFILE = "muster-browser-"
_START_SECONDS = 60.0
_CLOSE_SECONDS = 15.0


class Page:
    """A fresh browser with a fresh profile, at one address."""

    def __init__(self, installed: Installed, address: str) -> None:
        """Start the browser and wait until the page is ready.

        Raises:
            MissingDependency: Playwright is not installed.
            Unavailable: the browser does not start.
            Crashed: the page does not come up.
        """
        if not dependencies.is_installed("playwright"):
            raise dependencies.missing("playwright", purpose="a browser")
        _lift_data_limit()
        _remove_forsaken_profiles()
        self._installed, self._crashed = installed, False
        self._profile = Path(tempfile.mkdtemp(prefix=f"{_PROFILE}{os.getpid()}-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
        self._thread.start()
        self._driver: Any = None
        self._context: Any = None
        try:
            self.version = self._wait(self._start(), failures.not_started)
            self._wait(self._visit(address))
        except BaseException:
            self.close()
            raise

    def call(self, function: str, argument: object = None) -> Any:
        """Call a function of the page and wait for what it gives.

        Raises:
            Crashed: the page is gone, or its device.
            MemoryError: the page has no more memory.
            Unsupported, Unavailable, CellFailure: what the function has thrown.
        """
        return self._wait(self._page.evaluate(f"argument => window.{function}(argument)", argument))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        return self._wait(self._page.evaluate(expression))

    def close(self) -> None:
        """End the browser, and leave nothing of it; does nothing when that is done."""
        if self._loop.is_closed():
            return
        future = asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        try:
            future.result(_CLOSE_SECONDS)
        except TimeoutError:
            future.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)
        self._loop.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _wait(self, work: Awaitable[T], translated: Callable[[str], Exception] | None = None) -> T:
        from playwright.async_api import Error

        async def done() -> T:
            return await work

        try:
            return asyncio.run_coroutine_threadsafe(done(), self._loop).result()
        except Error as error:
            if translated is not None:
                raise translated(error.message) from error
            raise failures.translated(error.message, crashed=self._crashed) from error

    async def _start(self) -> str:
        from playwright.async_api import async_playwright

        self._driver = await async_playwright().start()
        self._context = await self._driver.chromium.launch_persistent_context(
            self._profile,
            executable_path=self._installed.path,
            args=self._installed.arguments,
            env=self._installed.environment,
            headless=True,
            timeout=1000 * _START_SECONDS,
        )
        self._page = self._context.pages[0] if self._context.pages else await self._context.new_page()
        self._page.on("crash", self._note_crash)
        session = await self._context.new_cdp_session(self._page)
        version = await session.send("Browser.getVersion")
        # Whatever its name, it calls itself Chrome.
        return f"{self._installed.browser.title()} {version['product'].partition('/')[2]}"

    async def _visit(self, address: str) -> None:
        await self._page.goto(address, timeout=1000 * _START_SECONDS)
        await self._page.wait_for_function("window.ready", timeout=1000 * _START_SECONDS)

    async def _stop(self) -> None:
        from playwright.async_api import Error

        try:
            if self._context is not None:
                await self._context.close()
        except Error:
            pass  # a browser that has died is closed
        finally:
            if self._driver is not None:
                await self._driver.stop()

    def _note_crash(self, _page: object) -> None:
        self._crashed = True


def on_page(installed: Installed, address: str, act: Callable[[Page], T]) -> T:
    """Do something on a page, and close it."""
    page = Page(installed, address)
    try:
        return act(page)
    finally:
        page.close()


def _lift_data_limit() -> None:
    """Browsers reserve far more memory than they use; what they use is watched from outside."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _remove_forsaken_profiles() -> None:
    """Profiles of browsers that were killed together with the process that had started them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PROFILE}*"):
        owner = folder.name.removeprefix(_PROFILE).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
