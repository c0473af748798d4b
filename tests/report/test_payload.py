import base64
import json
import zlib
from dataclasses import replace

import msgspec

from modelmuster.records import Outcome
from modelmuster.report.payload import DETAILS, Detail, details, pack


def unpacked(data, detail=DETAILS[0]):
    return json.loads(zlib.decompress(base64.b64decode(pack(data, detail))))


def test_unpacking_gives_every_cell_of_the_matrix(data):
    found = unpacked(data)
    assert len(found["rows"]) == len(data.rows)
    for row, cells in zip(data.rows, found["rows"], strict=True):
        for cell, packed in zip(row.cells, cells, strict=True):
            assert packed["outcome"] == cell.outcome.value
            assert packed["reproduce"] == cell.reproduce
            assert [result["check"] for result in packed["results"]] == list(cell.cell.checks)


def test_equal_texts_and_recipes_are_kept_once(data):
    found = details(data, DETAILS[0])
    assert len(found["texts"]) == len(set(found["texts"]))
    assert len(found["recipes"]) == len({row.model_type for row in data.rows})
    tracebacks = [
        result["error"]["traceback"]
        for row in found["rows"]
        for cell in row
        for result in cell["results"]
        if "error" in result
    ]
    assert len(set(tracebacks)) < len(tracebacks)


def test_long_texts_keep_their_end_and_say_what_was_cut(data):
    found = details(data, Detail(log_chars=100, traceback_chars=200))
    cut = [text for text in found["texts"] if text.startswith("… ")]
    assert cut
    errors = {
        result.error.message for row in data.rows for cell in row.cells for result in cell.results if result.error
    }
    tracebacks = [text for text in cut if any(text.endswith(message) for message in errors)]
    assert tracebacks
    assert all(len(text) < 240 for text in cut)


def test_the_sparsest_detail_drops_figures_of_passes_only(data):
    found = details(data, DETAILS[-1])
    results = [result for row in found["rows"] for cell in row for result in cell["results"]]
    assert not [one for one in results if one["outcome"] == "pass" and "figures" in one]
    assert [one for one in results if one["outcome"] == "fail" and "figures" in one]


def test_figures_of_single_outputs_go_first_and_only_from_passes(data):
    def names(detail, outcome):
        found = details(data, detail)
        results = [result for row in found["rows"] for cell in row for result in cell["results"]]
        return {name for one in results if one["outcome"] == outcome for name in one.get("figures", {})}

    main = Detail(0, 0, "main")
    assert "logits.max_abs" in names(DETAILS[0], "pass") & names(main, "fail")
    assert "logits.max_abs" not in names(main, "pass")
    assert "max_abs" in names(main, "pass")


def test_figures_that_json_has_no_word_for_become_text(data):
    row = data.rows[0]
    cell = next(cell for cell in row.cells if cell.outcome is not Outcome.NOT_RUN and not cell.mock)
    odd = msgspec.structs.replace(
        cell.results[0],
        outcome=Outcome.FAIL,
        figures={"nan": float("nan"), "inf": float("inf"), "zero": 0.0, "no": False},
    )
    changed = replace(
        data, groups=(replace(data.groups[0], rows=(replace(row, cells=(replace(cell, results=(odd,)),)),)),)
    )
    figures = details(changed, DETAILS[0])["rows"][0][0]["results"][0]["figures"]
    assert figures == {"nan": "nan", "inf": "inf", "zero": 0.0, "no": False}
