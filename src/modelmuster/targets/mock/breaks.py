"""Which properties the mock runtime can be told to break, so that the checks have something to catch."""

from __future__ import annotations

import os

from modelmuster.errors import UnknownName

VARIABLE = "MUSTER_MOCK_BREAK"

PROPERTIES = {
    "batch": "the rows of a batch influence one another",
    "bidirectional": "an encoder reads in one direction only",
    "cache": "decoding on top of the cache looks at the wrong entries of it",
    "causality": "a decoder sees later tokens",
    "finite": "the output holds NaN",
    "influence": "what is fed first never reaches the output",
    "numbers": "the output is off by a tenth",
    "order": "the answer depends on the place of a row in its batch",
    "padding": "what a mask hides is seen",
    "precision": "float32 is asked for, float16 is computed in",
    "shape": "the output lacks a row of the batch",
}
"""What happens when the property of that name is broken."""


def asked() -> frozenset[str]:
    """The properties that `$MUSTER_MOCK_BREAK` names, separated by commas.

    Raises:
        UnknownName: one that there is not.
    """
    wanted = frozenset(filter(None, (name.strip() for name in os.environ.get(VARIABLE, "").split(","))))
    for name in sorted(wanted - PROPERTIES.keys()):
        raise UnknownName("property to break", name, PROPERTIES, see=f"{VARIABLE}={','.join(PROPERTIES)}")
    return wanted
