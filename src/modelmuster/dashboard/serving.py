"""The application behind a server, until it is interrupted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelmuster.errors import UsageError
from modelmuster.settings import Home


def serve(home: Home, *, host: str, port: int, token: str | None, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        home: whose snapshots.
        host: the address to listen on.
        port: 0 for any that is free.
        token: what a browser has to bring; None for none.
        ready: called with the address to open, once it answers.

    Raises:
        UsageError: the address cannot be listened on.
    """
    server = listen(home, host=host, port=port, token=token)
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{server.port}/" + (f"?token={token}" if token else ""))
    try:
        server.serve_forever()
    finally:
        server.server_close()


def listen(home: Home, *, host: str, port: int, token: str | None) -> Any:
    """A server that listens, and answers once `serve_forever` is called.

    Raises:
        UsageError: the address cannot be listened on.
    """
    import logging

    from werkzeug.serving import make_server

    from modelmuster.dashboard.app import make

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = make(home, host=host, token=token)
    try:
        return make_server(host, port, app.server, threaded=True)
    except (OSError, SystemExit) as error:
        # werkzeug itself exits where a port is taken
        reason = getattr(error, "strerror", None) or "the port is taken, or the address is not of this machine"
        raise UsageError(f"cannot listen on {host}:{port}: {reason}", hint="choose another: --port 8051") from error
