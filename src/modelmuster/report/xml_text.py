"""Text that any XML document may hold."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped."""


def xml_text(value: str) -> str:
    """The text with a replacement for each character that XML forbids; escaping is the writer's."""
    return _NOT_XML.sub("\ufffd", value)
