"""Drafts of real config classes."""

import pytest

from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.tokens import TokenIds


@pytest.fixture
def draft():
    def make(config, *, path="", relaxed=frozenset()):
        return Draft(config, path=path, tokens=TokenIds(), relaxed=relaxed)

    return make
