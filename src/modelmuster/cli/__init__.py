"""The command line: one file per subcommand, nothing heavy imported to parse or to list."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of `muster`; turns every `MusterError` into a message and an exit code."""
    from modelmuster.cli.app import app
    from modelmuster.errors import MusterError

    try:
        app()
    except MusterError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) went away: not an error of ours, but the interpreter would report one on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
