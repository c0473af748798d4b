"""Who may see the dashboard: this machine's own browser, and elsewhere whoever has the token."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any

from modelmuster.errors import UsageError

if TYPE_CHECKING:
    from flask import Flask

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
COOKIE = "muster-token"

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Dash writes a script of its own into the page, and Plotly makes functions: these two need the two `unsafe` words.
Nothing is fetched from, and nothing sent to, any other place."""


def token_for(host: str, token: str | None) -> str | None:
    """The token that a server on this host asks for; None on loopback, unless one is given.

    Raises:
        UsageError: one that is too short to keep anybody out.
    """
    if token is not None and len(token) < 16:
        raise UsageError("a token of fewer than 16 characters", hint="leave it out, and one is made for you")
    if token is None and host not in LOOPBACK:
        return secrets.token_urlsafe(24)
    return token


def install(server: Flask, host: str, token: str | None) -> None:
    """Check every request, and tell the browser what a page may do."""
    from flask import abort, redirect, request

    def check() -> Any:
        # Another site's name that leads here would make its pages ours: only names of this machine are answered.
        if host in LOOPBACK and request.host.rsplit(":", 1)[0].strip("[]") not in LOOPBACK:
            abort(400)
        if token is None:
            return None
        given = request.args.get("token")
        if given is not None and hmac.compare_digest(given.encode(), token.encode()):
            answer = redirect(request.path)
            answer.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
            return answer
        if not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), token.encode()):
            abort(401)
        return None

    def seal(answer: Any) -> Any:
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "no-store" if request.path.startswith("/_dash-") else "no-cache"
        return answer

    server.before_request(check)
    server.after_request(seal)
