"""Results counted as they come in, what is mock apart from what is real."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from modelmuster.records import CellRecord, Inference, Outcome


@dataclass(slots=True)
class Counts:
    """Results of final records by outcome."""

    real: Counter[Outcome] = field(default_factory=Counter)
    mock: Counter[str] = field(default_factory=Counter)
    """In the words of `Result.mock_word`; never part of `real`."""
    proven: int = 0
    """Cells in which the runtime named the device that the model ran on."""

    def add(self, record: CellRecord) -> None:
        """Count a record's results."""
        if record.provenance.inference is Inference.MOCK:
            self.mock.update(result.mock_word for result in record.results)
            return
        self.real.update(result.outcome for result in record.results)
        self.proven += record.provenance.evidence is not None

    def __str__(self) -> str:
        """`🚀 real: 512 pass, 3 fail, 1 crash; 🔷 mock, never counted: 40 held`."""
        parts = []
        if self.real:
            real = ", ".join(f"{self.real[outcome]} {outcome.value}" for outcome in Outcome if self.real[outcome])
            parts.append(f"{Inference.REAL.label if self.proven else 'nothing ran'}: {real}")
        if self.mock:
            mock = ", ".join(f"{count} {word}" for word, count in self.mock.most_common())
            parts.append(f"{Inference.MOCK.label}, never counted: {mock}")
        return "; ".join(parts) or "nothing yet"
