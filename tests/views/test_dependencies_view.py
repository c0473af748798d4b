"""The software of a run, and what its lack held back."""

from modelmuster import store
from modelmuster.records import Outcome, Package
from modelmuster.settings import Home
from modelmuster.views.dependencies import dependencies
from run_folders import make_cell, make_environment, make_record, make_result, write_run


def test_missing_packages_what_they_hold_back_and_versions_that_changed(tmp_path):
    home = Home(tmp_path)
    old = make_environment(packages=(Package(name="torch", version="2.12.0"), Package(name="timm", version=None)))
    write_run(home, "a", [make_cell()], environment=old, created_at="2026-01-01T00:00:00+00:00")
    cell = make_cell("edgetam")
    away = [make_result(check, Outcome.UNAVAILABLE, message="type: pip install timm") for check in cell.checks]
    write_run(home, "b", [cell], [make_record("b", cell, results=away)], created_at="2026-01-02T00:00:00+00:00")
    store.ingest(home)
    with store.reader(home) as reader:
        found = dependencies(reader)
    assert (found.run_id, found.missing, found.python) == ("b", ("timm",), "3.11.2")
    assert [(one.reason, one.results, one.architectures) for one in found.held_back] == [
        ("type: pip install timm", 2, ("edgetam",))
    ]
    assert found.runs == ("a", "b")
    assert found.changed == {"torch": ("2.12.0", "2.13.0")}
