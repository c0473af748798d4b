"""Makes the shipped snapshot anew: `python -m modelmuster.generate.snapshot`, to be done whenever recipes change."""

from __future__ import annotations

import sys
import time

from modelmuster import catalog
from modelmuster.generate import stock
from modelmuster.generate.workshop import Order, build
from modelmuster.runs.environment import usable_cores


def main() -> None:
    """Survey the default class of every top-level architecture, and say which have no blueprint."""
    known = catalog.load()
    orders = [Order(entry, entry.default_class) for entry in known if entry.top_level and entry.default_class]
    began, made = time.monotonic(), {}
    for entry in build(orders, slots=usable_cores()):
        made[entry.model_type] = entry
        if entry.reason:
            sys.stderr.write(f"{entry.model_type}: {entry.reason}\n")
    entries = [made[order.architecture.model_type] for order in orders]
    path = stock.SHIPPED / f"{known.transformers}.jsonl"
    stock.write_snapshot(entries, path)
    with_recipe = sum(not entry.reason for entry in entries)
    seconds = time.monotonic() - began
    sys.stderr.write(f"{path}: {with_recipe} of {len(entries)} classes, {path.stat().st_size} bytes, {seconds:.0f} s\n")


if __name__ == "__main__":
    main()
