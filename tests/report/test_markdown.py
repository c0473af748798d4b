from modelmuster.report import markdown
from synthetic_run import HOSTILE_NAME


def test_the_summary_has_counts_matrix_and_causes(data):
    text = markdown.render(data)
    assert f"- cells: {data.cells}" in text
    assert "| family | rows | torch:cpu float32 |" in text
    for group in data.groups:
        assert f"| {group.family.value} | {len(group.rows)} |" in text
    assert f"Findings by cause ({len(data.failures)}):" in text
    assert f"{data.targets[0].tally.passed}/{data.targets[0].tally.decided}" in text


def test_mock_is_named_and_has_no_rate(data):
    last = next(line for line in markdown.render(data).splitlines() if line.startswith("| **all**"))
    assert last.endswith(f"🔷 mock {data.cells.mock} |")


def test_no_text_of_a_model_becomes_markup(data):
    text = markdown.render(data)
    assert HOSTILE_NAME not in text
    assert "<" not in text.replace("&lt;", "")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
