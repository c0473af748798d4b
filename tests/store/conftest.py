"""A home in a temporary folder."""

import pytest

from modelmuster.settings import Home


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "it's a home")
