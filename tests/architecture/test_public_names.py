"""What `import modelmuster` offers, and what it costs."""

import subprocess
import sys

import pytest

import modelmuster


@pytest.mark.parametrize("name", modelmuster.__all__)
def test_every_public_name_is_there(name):
    assert getattr(modelmuster, name).__doc__


def test_what_is_lazy_is_what_is_public():
    assert sorted(modelmuster._HOMES) == sorted(modelmuster.__all__)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = modelmuster.no_such_name


def test_the_import_alone_loads_nothing_of_the_package():
    code = "import sys, modelmuster; print([name for name in sys.modules if name.startswith('modelmuster.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
