import json

from modelmuster.report import document


def test_the_document_holds_every_planned_cell_uncut(run, data):
    plan, records, _ = run
    found = json.loads(document.render(data))
    cells = [cell for row in found["matrix"] for cell in row["cells"]]
    assert sorted(cell["cell_id"] for cell in cells) == sorted(cell.id for cell in plan.cells)
    assert sum(len(cell["attempts"]) for cell in cells) == len(records)
    longest = max(len(record.log_tail) for record in records)
    assert max(len(attempt["log_tail"]) for cell in cells for attempt in cell["attempts"]) == longest


def test_rates_stand_beside_their_counts(data):
    found = json.loads(document.render(data))
    cells = found["cells"]
    assert cells["pass_rate"] == cells["passed"] / cells["decided"]
    assert sum(cells["outcomes"].values()) == cells["planned"]
    assert cells["mock"] == data.cells.mock
