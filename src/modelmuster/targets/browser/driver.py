"""A browser, held by Playwright in a thread of its own, so that nothing else notices its event loop."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psutil

from modelmuster import dependencies
from modelmuster.errors import Crashed
from modelmuster.targets.browser import failures
from modelmuster.targets.browser.browsers import PREFERENCES, Installed

T = TypeVar("T")

_PROFILE = "muster-browser-"
_START_SECONDS = 60.0
_CLOSE_SECONDS = 15.0


class Page(Protocol):
    """A fresh page at one address, which shares nothing with any other page."""

    @property
    def version(self) -> str:
        """Name and version of its browser."""
        ...

    def evaluate(self, expression: str, argument: object = None) -> Any:
        """The value of a JavaScript expression, or what the function that it is gives for the argument.

        Raises:
            Crashed: the page is gone, or its device.
            MemoryError: the page has no more memory.
            Unsupported, Unavailable, CellFailure: what the function has thrown.
        """
        ...

    def close(self) -> None:
        """End it; does nothing when that is done."""
        ...


def call(page: Page, function: str, argument: object = None) -> Any:
    """Call a function of the page and wait for what it gives; raises what `Page.evaluate` does."""
    return page.evaluate(f"argument => window.{function}(argument)", argument)


class Browser:
    """A browser with a fresh profile."""

    def __init__(self, installed: Installed) -> None:
        """Start it.

        Raises:
            MissingDependency: Playwright is not installed.
            Unavailable: it does not start.
        """
        if not dependencies.is_installed("playwright"):
            raise dependencies.missing("playwright", purpose="a browser")
        _lift_data_limit()
        _remove_forsaken_profiles()
        self._installed = installed
        self._profile = Path(tempfile.mkdtemp(prefix=f"{_PROFILE}{os.getpid()}-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
        self._thread.start()
        self._driver: Any = None
        self._first: Any = None
        try:
            self.version = self.wait(self._start(), failures.not_started)
        except BaseException:
            self.close()
            raise

    @property
    def is_connected(self) -> bool:
        """Whether it still answers."""
        return bool(self._first.browser.is_connected())

    def visit(self, address: str) -> OwnPage:
        """A fresh page at this address.

        Raises:
            Crashed: it does not come up.
        """
        return OwnPage(self, self.wait(self._opened()), address)

    def close(self) -> None:
        """End it with all its pages, and leave nothing of it; does nothing when that is done."""
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

    def wait(self, work: Awaitable[T], translated: Callable[[str], Exception] = failures.translated) -> T:
        """What the work gives, done in the browser's thread; an error of Playwright is raised as what it means."""
        from playwright.async_api import Error

        async def done() -> T:
            return await work

        try:
            return asyncio.run_coroutine_threadsafe(done(), self._loop).result()
        except Error as error:
            raise translated(error.message) from error

    async def _start(self) -> str:
        from playwright.async_api import async_playwright

        self._driver = await async_playwright().start()
        firefox = self._installed.browser == "firefox"
        kind = self._driver.firefox if firefox else self._driver.chromium
        # The channel has Playwright speak WebDriver BiDi, which any Firefox does, and not a protocol of its own builds.
        own = (
            {"channel": "moz-firefox", "firefox_user_prefs": dict(PREFERENCES)}
            if firefox
            else {"args": self._installed.arguments}
        )
        # Only so can the folder of the profile be chosen, and found when all else was killed. Its page is never used.
        self._first = await kind.launch_persistent_context(
            self._profile,
            executable_path=self._installed.path,
            env=self._installed.environment,
            headless=True,
            timeout=1000 * _START_SECONDS,
            **own,
        )
        # Whatever its name, it calls itself Chrome.
        return f"{self._installed.browser.title()} {self._first.browser.version}"

    async def _opened(self) -> Any:
        context = await self._first.browser.new_context()
        return await context.new_page()

    async def _stop(self) -> None:
        from playwright.async_api import Error

        try:
            if self._first is not None:
                await self._first.close()
        except Error:
            pass  # a browser that has died is closed
        finally:
            if self._driver is not None:
                await self._driver.stop()


class OwnPage:
    """A page of this process's browser. Implements `Page`."""

    def __init__(self, browser: Browser, page: Any, address: str) -> None:
        """Visit the address and wait until the page says that it is ready."""
        self._browser, self._page, self._crashed, self._open = browser, page, False, True
        page.on("crash", self._note_crash)
        try:
            browser.wait(self._visit(address), self._translated)
        except BaseException:
            self.close()
            raise

    @property
    def version(self) -> str:
        """Of its browser."""
        return self._browser.version

    def evaluate(self, expression: str, argument: object = None) -> Any:
        """See `Page`."""
        return self._browser.wait(self._page.evaluate(expression, argument), self._translated)

    def close(self) -> None:
        """See `Page`."""
        if self._open:
            self._open = False
            with suppress(Crashed):  # what has died is closed
                self._browser.wait(self._page.context.close())

    def _translated(self, message: str) -> Exception:
        return failures.translated(message, crashed=self._crashed)

    async def _visit(self, address: str) -> None:
        await self._page.goto(address, timeout=1000 * _START_SECONDS)
        await self._page.wait_for_function("window.ready", timeout=1000 * _START_SECONDS)

    def _note_crash(self, _page: object) -> None:
        self._crashed = True


@contextmanager
def only_page(installed: Installed, address: str) -> Iterator[OwnPage]:
    """A page of a browser that is started for it, and ends with it; raises what `Browser` and `Browser.visit` do."""
    browser = Browser(installed)
    try:
        yield browser.visit(address)
    finally:
        browser.close()


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
