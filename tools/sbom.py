"""What a release was built and tested with, as a CycloneDX document: `python tools/sbom.py FILE`.

The environment of this interpreter is listed; the package itself is the root, with the version that its code states,
which the tool cannot read from a pyproject.toml that leaves it to the build.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import modelmuster

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
TOOL = Path(sys.prefix) / "sbom"
"""Where `make setup` puts the tool that lists an environment, so that the environment is without it."""
DYNAMIC = 'dynamic = ["version"]'


def write(file: Path) -> None:
    """Write the document.

    Raises:
        ValueError: pyproject.toml says of the version what it did not say when this was written.
    """
    text = PYPROJECT.read_text(encoding="utf-8")
    if DYNAMIC not in text:
        raise ValueError(f"{PYPROJECT} no longer says {DYNAMIC}")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stated = Path(folder) / "pyproject.toml"
        stated.write_text(text.replace(DYNAMIC, f'version = "{modelmuster.__version__}"'), encoding="utf-8")
        command = [sys.executable, "-m", "cyclonedx_py", "environment", sys.executable, "--pyproject", str(stated)]
        subprocess.run(
            [*command, "--mc-type", "library", "--output-reproducible", "-o", str(file)],
            check=True,
            env={**os.environ, "PYTHONPATH": str(TOOL)},
        )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
