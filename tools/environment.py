"""An environment of its own with this package and some extras: `python tools/environment.py FOLDER [EXTRA…]`.

For tests and benchmarks that ask what is there when something is not. Versions are those of constraints.txt.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(folder: Path, extras: list[str]) -> Path:
    """Make the environment; gives its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(python)]
    subprocess.run([*pip, "install", "--constraint", str(ROOT / "constraints.txt"), wanted], check=True)
    return python


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), sys.argv[2:]))  # noqa: T201 - what was asked for
