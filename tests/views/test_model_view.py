"""One architecture everywhere."""

import pytest
from stored_run import BERT, NEW, OLD

from modelmuster.errors import UnknownName
from modelmuster.records import Outcome
from modelmuster.views.model import model


def test_an_architecture_has_its_cells_checks_past_and_siblings(reader):
    found = model(reader, NEW, "bert")
    assert found.checks == ("forward", "reference")
    assert [(cell.target, cell.dtype, cell.outcome, cell.mock) for cell in found.cells] == [
        ("torch:cpu", "float32", Outcome.PASS, False),
        ("torch:cpu", "bfloat16", Outcome.FAIL, False),
        ("toy", "float32", Outcome.ERROR, True),
    ]
    assert found.cells[0].cell_id == BERT.id
    assert found.cells[0].reproduce == "muster run bert --class BertModel --target torch:cpu"
    assert found.tally.mock == 2
    assert [(past.run_id, past.outcome) for past in found.history["torch:cpu float32 tiny"]] == [
        (OLD, Outcome.PASS),
        (NEW, Outcome.PASS),
    ]
    assert "toy float32 tiny" not in found.history
    assert found.parameters == 12345
    assert model(reader, NEW, "vit").siblings == ("swin",)


def test_an_unknown_architecture_is_answered_with_the_nearest(reader):
    with pytest.raises(UnknownName, match="did you mean: llama"):
        model(reader, NEW, "lama")
