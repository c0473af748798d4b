"""Operators that a runtime or an exporter has named as missing, with the architectures that need them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from modelmuster.records import FINDINGS, Outcome
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of
from modelmuster.views.narrowing import RESULTS, Narrowing

_SAID = (
    # torch.onnx, the way of torch.export and the way of tracing
    r"No ONNX function found for <OpOverload\(op='(?P<a>[\w.:]+)'",
    r"Exporting the operator '(?P<b>[\w.:]+)' to ONNX",
    # ONNX Runtime
    r"Could not find an implementation for (?P<c>\w+)\(\d+\)",
    r"(?P<d>[\w.]+(?::\w+)?)\(-?\d+\) is not a registered function/op",
    # OpenVINO
    r"(?:No conversion rule found for operations?|does not support the following ONNX operations?): (?P<e>[\w.:, ]+)",
    # PyTorch on a device, or in a dtype
    r"The operator '(?P<f>[\w.:]+)' is not currently implemented",
    r"\"(?P<g>\w+)\" not implemented for '\w+'",
)
_PATTERN = re.compile("|".join(_SAID))


@dataclass(frozen=True, slots=True)
class MissingOperator:
    """One operator that is missing on one target."""

    operator: str
    target: str
    architectures: tuple[str, ...]
    reproduce: str
    """The command for the first of them."""


def missing_operators(reader: Reader, narrowing: Narrowing) -> list[MissingOperator]:
    """Those that hold back most architectures first. Mock results are never among them."""
    rows = reader.rows(
        f"""
        SELECT coalesce(message, '') || ' ' || coalesce(error_message, '') AS words, check_name,
            {", ".join(IDENTITY)}
        FROM {RESULTS}
        WHERE NOT mock AND list_contains($counted, outcome)
        ORDER BY cell, place
        """,  # noqa: S608 - a constant
        **narrowing.parameters,
        counted=sorted({*FINDINGS, Outcome.UNSUPPORTED}),
    )
    needed: dict[tuple[str, str], set[str]] = {}
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        for operator in named(row["words"]):
            key = operator, row["target"]
            needed.setdefault(key, set()).add(row["model_type"])
            first.setdefault(key, reproduce(cell_of(row), row["check_name"]))
    return [
        MissingOperator(operator, target, tuple(sorted(names)), first[operator, target])
        for (operator, target), names in sorted(needed.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def named(words: str) -> Iterator[str]:
    """The operators that a message names as missing, each once; `aten::histc` and `aten.histc` are one."""
    found = [
        name for match in _PATTERN.finditer(words) for group in match.groups() if group for name in group.split(",")
    ]
    yield from dict.fromkeys(name.strip(" .").replace("::", ".") for name in found)
