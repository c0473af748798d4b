"""A browser that is kept for one cell after another: the process that holds it, and what a cell sees of it.

What a cell gets is a page of its own, in a context of its own: another process, and none of the cookies, caches and
files of the pages before. Both ends speak JSON, one answer to each request.
"""

from __future__ import annotations

from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from modelmuster.errors import CellFailure, Crashed, Unavailable, Unsupported
from modelmuster.targets.browser.browsers import Installed
from modelmuster.targets.browser.driver import Browser, OwnPage


class Visit(msgspec.Struct, frozen=True, tag=True):
    """Close the page that is open, if any, and open another."""

    address: str


class Evaluate(msgspec.Struct, frozen=True, tag=True):
    """See `Page.evaluate`."""

    expression: str
    argument: Any


class Leave(msgspec.Struct, frozen=True, tag=True):
    """Close the page."""


class Gave(msgspec.Struct, frozen=True, tag=True):
    """It went well."""

    value: Any


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It raised an exception."""

    kind: str
    message: str
    hint: str


_requests: msgspec.json.Decoder[Visit | Evaluate | Leave] = msgspec.json.Decoder(Visit | Evaluate | Leave)
_answers: msgspec.json.Decoder[Gave | Failed] = msgspec.json.Decoder(Gave | Failed)
_KINDS = {kind.__name__: kind for kind in (CellFailure, Crashed, Unavailable, Unsupported)}


class Lender:
    """Holds the browser, and does what the cells ask for."""

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._browser: Browser | None = None
        self._page: OwnPage | None = None

    def serve(self, cells: Connection) -> None:
        """Answer until the other end is closed; then end the browser."""
        with suppress(EOFError, ConnectionError):
            while True:
                cells.send_bytes(msgspec.json.encode(self._answer(cells.recv_bytes())))
        if self._browser is not None:
            self._browser.close()

    def _answer(self, request: bytes) -> Gave | Failed:
        try:
            return Gave(self._done(_requests.decode(request)))
        except CellFailure as error:
            return Failed(type(error).__name__, error.message, error.hint)
        except MemoryError as error:
            return Failed(MemoryError.__name__, str(error), "")

    def _done(self, request: Visit | Evaluate | Leave) -> Any:
        if isinstance(request, Evaluate):
            if self._page is None:
                raise CellFailure("no page is open")
            return self._page.evaluate(request.expression, request.argument)
        if self._page is not None:
            self._page.close()
            self._page = None
        if isinstance(request, Visit):
            self._page = self._started().visit(request.address)
            return self._page.version
        return None

    def _started(self) -> Browser:
        if self._browser is not None and not self._browser.is_connected:
            self._browser.close()
            self._browser = None
        if self._browser is None:
            self._browser = Browser(self._installed)
        return self._browser


class LentPage:
    """A page of the browser that another process holds. Implements `driver.Page`."""

    def __init__(self, lender: Connection, address: str) -> None:
        """Visit the address.

        Raises:
            Unavailable: the browser does not start.
            Crashed: the page does not come up, or the process that holds the browser is gone.
        """
        self._lender, self._open = lender, True
        self.version: str = self._ask(Visit(address))

    def evaluate(self, expression: str, argument: object = None) -> Any:
        """See `driver.Page`."""
        return self._ask(Evaluate(expression, argument))

    def close(self) -> None:
        """See `driver.Page`."""
        if self._open:
            self._open = False
            with suppress(Crashed):  # what has died is closed
                self._ask(Leave())

    def _ask(self, request: Visit | Evaluate | Leave) -> Any:
        try:
            self._lender.send_bytes(msgspec.json.encode(request))
            answer = _answers.decode(self._lender.recv_bytes())
        except (EOFError, ConnectionError) as error:
            raise Crashed("the process that holds the browser has ended") from error
        if isinstance(answer, Gave):
            return answer.value
        if answer.kind == MemoryError.__name__:
            raise MemoryError(answer.message)
        raise _KINDS[answer.kind](answer.message, hint=answer.hint)
