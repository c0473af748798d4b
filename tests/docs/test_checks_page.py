"""docs/checks.md says of every check what the check says of itself."""

from pathlib import Path

import pytest

from modelmuster import plugins
from modelmuster.checks.describe import describe, table

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", plugins.checks().names())
def test_every_check_is_documented_as_it_is(name):
    check = plugins.checks().get(name)
    row = table([describe(check)]).splitlines()[-1]
    assert row in PAGE.splitlines(), "refresh the table: muster checks --markdown"


@pytest.mark.parametrize("name", plugins.checks().names())
def test_every_check_says_how_far_off_an_answer_may_be(name):
    assert describe(plugins.checks().get(name)).tolerance
