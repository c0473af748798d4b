"""What the tests of generated files found last, architecture by architecture."""

from __future__ import annotations

from dataclasses import dataclass

from modelmuster.store import Reader
from modelmuster.views.rates import Tally, tally


@dataclass(frozen=True, slots=True)
class FileTests:
    """The youngest recorded run of an architecture's test files."""

    run_id: str
    tally: Tally


def file_tests(reader: Reader) -> dict[str, FileTests]:
    """By model type. Tests of files are told from checks by their names, which begin with `test_`."""
    rows = reader.rows(
        """
        WITH tests AS (SELECT * FROM results WHERE starts_with(check_name, 'test_')),
            youngest AS (SELECT model_type, max(run_id) AS run_id FROM tests GROUP BY model_type)
        SELECT model_type, run_id, outcome, mock, expected IS NOT NULL AS expected, flaky, count(*) AS results
        FROM tests SEMI JOIN youngest USING (model_type, run_id)
        GROUP BY ALL
        """
    )
    by_type: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_type.setdefault(row["model_type"], []).append(row)
    return {name: FileTests(str(found[0]["run_id"]), tally(found)) for name, found in by_type.items()}
