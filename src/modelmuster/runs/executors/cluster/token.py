"""The secret that every machine of a cluster must know. Without it anybody who reaches a port could run code there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from modelmuster.errors import UsageError


def default_path() -> Path:
    """Where the token lies unless `$RAY_AUTH_TOKEN_PATH` says otherwise."""
    import platformdirs

    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path(platformdirs.user_config_dir("modelmuster")) / "token")


def create(path: Path) -> None:
    """Make a token that only this user can read; one that exists stays.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise UsageError(
            f"cannot write the token {path}: {error.strerror or error}", hint="choose another file: --token-file FILE"
        ) from error
    with os.fdopen(file, "w") as opened:
        opened.write(secrets.token_hex(32))


def environment(path: Path) -> dict[str, str]:
    """The variables by which Ray asks for this token everywhere.

    Raises:
        UsageError: there is no token, or it cannot be read.
    """
    if os.environ.get("RAY_AUTH_TOKEN"):
        return {"RAY_AUTH_MODE": "token"}
    try:
        if path.read_text().strip():
            return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path.absolute())}
        reason = "is empty"
    except OSError as error:
        reason = error.strerror or str(error)
    raise UsageError(
        f"no token: {path}: {reason}",
        hint="`muster worker --head` makes one on the head's machine; copy it here, or name it with --token-file FILE",
    )
