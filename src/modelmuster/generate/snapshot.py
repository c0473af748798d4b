"""Renews the shipped snapshot: `python -m modelmuster.generate.snapshot`, to be done whenever recipes change.

Only what is no longer true is made anew. What is made is remembered, so an interrupted renewal goes on where it was.
"""

from __future__ import annotations

import sys
import time

from modelmuster import catalog
from modelmuster.generate import shipped, stock
from modelmuster.generate.blueprint import Blueprint
from modelmuster.generate.workshop import Order
from modelmuster.settings import Home


def main() -> None:
    """Survey the default class of every top-level architecture, and say which have no blueprint."""
    known = catalog.load()
    orders = [Order(entry, entry.default_class) for entry in known if entry.top_level and entry.default_class]
    began, anew = time.monotonic(), list[Blueprint]()
    found = stock.find(orders, Home.find(), anew.append, fresh=True)
    entries = {order: found[order.architecture.model_type, order.model_class] for order in orders}
    for entry in entries.values():
        if entry.reason:
            sys.stderr.write(f"{entry.model_type}: {entry.reason}\n")
    path = shipped.FOLDER / f"{known.transformers}.jsonl"
    shipped.write(entries, path)
    with_recipe = sum(not entry.reason for entry in entries.values())
    seconds = time.monotonic() - began
    sys.stderr.write(
        f"{path}: {with_recipe} of {len(entries)} classes, {len(anew)} of them made in {seconds:.0f} s, "
        f"{path.stat().st_size} bytes\n"
    )


if __name__ == "__main__":
    main()
