"""What a page of the application says, as plain text."""

import json


def said(pages, path, search=""):
    """Every word of a page."""
    return json.dumps([part if isinstance(part, str) else _plain(part) for part in pages.show(path, search)])


def _plain(part):
    if isinstance(part, list | tuple):
        return [_plain(one) for one in part]
    return _plain(part.children) if hasattr(part, "children") else str(part)
