"""Which node of a graph was given to which provider, from the log of onnxruntime-web."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from modelmuster.errors import CellFailure

_SECTION = re.compile(r"(?:All nodes|Node\(s\)) placed on \[(\w+)ExecutionProvider\]\. Number of nodes: (\d+)")
_NODE = re.compile(r"VerifyEachNodeIsAssignedToAnEp\]\s+(\S+) \(.*\)\s*$")
_FUSED = re.compile(r"nodes in the graph: (\d+) number of nodes supported by WebNN: (\d+)")

_COPIES = frozenset({"MemcpyFromHost", "MemcpyToHost"})
"""Put in between by the runtime, where a graph is divided: no work of the model's."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the nodes of one graph are."""

    total: int
    on_target: int
    elsewhere: tuple[str, ...]
    """Operators on another provider, most frequent first, as `Gather on CPU ×3`."""

    @property
    def share(self) -> float:
        """The part of the nodes that is on the provider that was asked for."""
        return self.on_target / self.total if self.total else 1.0


def read(log: Iterable[str], provider: str) -> Placement:
    """The placement that the log of a session tells.

    Args:
        log: its lines, in order.
        provider: the runtime's name for what was asked for: `CPU`, `WebGpu` or `WebNN`.

    Raises:
        CellFailure: the log does not say.
    """
    counts, operators = Counter[str](), Counter[tuple[str, str]]()
    fused: tuple[int, int] | None = None
    place = ""
    for line in log:
        if found := _SECTION.search(line):
            place = found[1]
            counts[place] += int(found[2])
        elif found := _NODE.search(line):
            if found[1] in _COPIES:
                counts[place] -= 1
            else:
                operators[found[1], place] += 1
        elif found := _FUSED.search(line):
            # The last one is the whole graph's; bodies of loops and branches come before.
            fused = int(found[1]), int(found[2])
    if not counts:
        raise CellFailure("onnxruntime-web did not say where it put the nodes of this graph")
    elsewhere = Counter(
        {f"{name} on {where}": count for (name, where), count in operators.items() if where != provider}
    )
    total, on_target = counts.total(), counts[provider]
    if fused is not None:
        # WebNN takes over many nodes as one.
        total, on_target = fused
    return Placement(total, on_target, tuple(f"{name} ×{count}" for name, count in elsewhere.most_common()))
