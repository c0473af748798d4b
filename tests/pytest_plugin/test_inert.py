"""In other people's test suites the plug-in does nothing and imports nothing."""

import os
import subprocess
import sys

from modelmuster.pytest_plugin import FAMILY_MARKS
from modelmuster.records import Family


def test_another_suite_pays_for_two_small_modules(tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_loaded():\n"
        "    loaded = {name for name in sys.modules if name.startswith('modelmuster')}\n"
        "    assert loaded == {'modelmuster', 'modelmuster.pytest_plugin'}, loaded\n"
        "    assert not {'torch', 'numpy', 'msgspec', 'duckdb'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:hypothesispytest", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "muster" not in done.stdout.replace(str(tmp_path), "")
    assert sorted(path.name for path in tmp_path.iterdir() if "cache" not in path.name) == ["test_other.py"]


def test_every_family_has_its_mark():
    assert set(FAMILY_MARKS) == {family.value.replace("-", "_") for family in Family}
