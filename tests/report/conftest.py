"""A made-up run with every outcome, for reports: records only, so that nothing needs to be run to lay them out."""

from __future__ import annotations

import pytest
from synthetic import synthetic_run

from modelmuster.report.assemble import assemble


@pytest.fixture(scope="session")
def run():
    """About 60 architectures on 4 targets, with all outcomes, a mock target and hostile names."""
    return synthetic_run(60, targets=("torch:cpu", "onnxruntime:cpu", "webgpu:chromium", "mock"))


@pytest.fixture(scope="session")
def data(run):
    plan, records, environment = run
    return assemble(plan, records, environment, version="0.1.0", questions={"forward": "Does it run?"})
