"""A real run is scraped while it goes on, and what Prometheus and a collector are told is what the records say."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest

from modelmuster.errors import UsageError
from modelmuster.monitoring.metrics import METRICS, Watch
from modelmuster.monitoring.prometheus import PrometheusMeter
from modelmuster.monitoring.telemetry import OtlpMeter, Spans
from modelmuster.records import FINDINGS, Inference
from synthetic_run import TARGETS, synthetic_run

pytest.importorskip("prometheus_client", reason="the package prometheus-client is not installed")
pytest.importorskip("opentelemetry.sdk", reason="the package opentelemetry-sdk is not installed")

BOARD = Path(__file__).parents[2] / "docs" / "grafana-board.json"


def scraped(url):
    """Samples by name and labels."""
    from prometheus_client.parser import text_string_to_metric_families

    with urlopen(url, timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def summed(samples, name, **labels):
    return sum(value for key, value in samples.items() if key[0] == name and set(labels.items()) <= set(key[1:]))


@pytest.fixture(scope="module")
def synthetic():
    """A made-up run, in which one attempt was lost with its worker."""
    plan, records, environment = synthetic_run(12, targets=TARGETS)
    lost = msgspec.structs.replace(records[0], final=False, lost=True, results=())
    return plan, [lost, *records], environment


@pytest.fixture
def told(synthetic):
    """What is scraped after every record of a made-up run, and the run."""
    plan, records, _ = synthetic
    meter = PrometheusMeter("127.0.0.1:0")
    with Watch(plan, meter) as watch:
        for record in records:
            watch.record(record)
        yield scraped(meter.url), plan, records


def test_a_run_is_scraped_while_it_goes_on(tmp_path):
    arguments = "bert gpt2 vit --target torch:cpu --check forward --jobs 1 --metrics 127.0.0.1:0 --no-progress"
    command = [sys.executable, "-m", "modelmuster", "run", *arguments.split()]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    url = run.stderr.readline().partition("metrics: ")[2].strip()
    seen = []
    while run.poll() is None:
        try:
            seen.append(scraped(url))
        except OSError:
            break  # it has ended, and answers no more
    run.communicate(timeout=120)
    assert run.returncode == 0
    assert {summed(one, "muster_cells_planned", target="torch:cpu") for one in seen} == {3.0}
    recorded = [summed(one, "muster_cells_recorded") for one in seen]
    assert recorded == sorted(recorded)
    assert recorded[0] < 3
    assert recorded[-1] > 0
    assert max(summed(one, "muster_cells_running") for one in seen) == 1
    assert summed(seen[-1], "muster_results_total", outcome="pass", inference="real") == recorded[-1]


def test_prometheus_is_told_what_the_records_say(told):
    samples, plan, records = told
    final = [record for record in records if record.final]
    assert summed(samples, "muster_cells_planned") == len(plan.cells)
    assert summed(samples, "muster_cells_recorded") == len(final)
    assert summed(samples, "muster_lost_attempts_total") == 1
    assert summed(samples, "muster_repeated_cells_total") == len(records) - len(final)
    real = [record for record in final if record.provenance.inference is Inference.REAL]
    counted = Counter(result.outcome for record in real for result in record.results)
    for outcome, count in counted.items():
        assert summed(samples, "muster_results_total", inference="real", outcome=outcome.value) == count
    assert summed(samples, "muster_results_total", inference="mock", outcome="pass") == 0
    found = [result for record in final for result in record.results if result.outcome in FINDINGS]
    assert summed(samples, "muster_unexpected_findings_total") == sum(one.expected is None for one in found)
    assert summed(samples, "muster_attempt_seconds_count") == len(records)


def test_every_query_of_the_sample_board_names_what_is_told(told):
    samples, _, _ = told
    known = {key[0]: {label for label, _ in key[1:]} for key in samples}
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    assert len(queries) > 10
    for query in queries:
        named = re.findall(r"\bmuster_\w+", query)
        assert named, query
        for name in named:
            assert name in known, query
        for name, labels in re.findall(r"(muster_\w+)\{([^}]*)\}", query):
            assert set(re.findall(r"(\w+)=", labels)) <= known[name], query
        for labels in re.findall(r"by \(([^)]*)\)", query):
            assert set(labels.split(", ")) <= set.union(*(known[name] for name in named)), query
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_page_about_monitoring_names_every_metric():
    page = (BOARD.parent / "monitoring.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert re.search(rf"`{metric.name}(_total)?` \| .* \| {', '.join(metric.labels)} \|", page), metric.name


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent by OTLP over HTTP."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.taken.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def collector():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.taken = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_collector_is_told_the_same_numbers_and_a_span_for_each_attempt(synthetic, collector):
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    plan, records, _ = synthetic
    endpoint = f"http://127.0.0.1:{collector.server_port}/"
    with Watch(plan, OtlpMeter(endpoint, plan)) as watch, Spans(endpoint, plan) as spans:
        for record in records:
            watch.record(record)
            spans.record(record)
    sent = ExportMetricsServiceRequest.FromString(collector.taken["/v1/metrics"][-1])
    by_name = {metric.name: metric for metric in sent.resource_metrics[0].scope_metrics[0].metrics}
    assert set(by_name) <= {metric.name for metric in METRICS}
    results = sum(point.as_int for point in by_name["muster_results"].sum.data_points)
    assert results == sum(len(record.results) for record in records if record.final)
    assert by_name["muster_results"].sum.is_monotonic
    traces = [ExportTraceServiceRequest.FromString(body) for body in collector.taken["/v1/traces"]]
    scopes = [scope for one in traces for resource in one.resource_spans for scope in resource.scope_spans]
    every = [span for scope in scopes for span in scope.spans]
    [root] = [span for span in every if span.name == "run"]
    attempts = [span for span in every if span is not root]
    assert Counter(span.name for span in attempts) == Counter(record.cell.id for record in records)
    assert {span.parent_span_id for span in attempts} == {root.span_id}
    failed = sum(any(result.outcome in FINDINGS for result in record.results) for record in records)
    assert sum(span.status.code == 2 for span in attempts) == failed


@pytest.mark.parametrize("address", ["", "here", "host:", ":9464", "1:2:3", "99999"])
def test_an_address_that_cannot_be_read_is_answered_with_one_that_can(address):
    with pytest.raises(UsageError, match="such as --metrics 9464"):
        PrometheusMeter(address)


def test_a_port_that_is_taken_is_told_before_anything_runs(collector):
    with pytest.raises(UsageError, match="choose another port"):
        PrometheusMeter(f"127.0.0.1:{collector.server_port}")


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port"])
def test_a_collector_that_is_no_address_is_answered_with_one(endpoint, synthetic):
    with pytest.raises(UsageError, match="such as --otlp http"):
        OtlpMeter(endpoint, synthetic[0])


def test_a_collector_that_nobody_started_is_told_before_anything_runs(synthetic, collector):
    port = collector.server_port
    collector.shutdown()
    collector.server_close()
    with pytest.raises(UsageError, match="nobody listens"):
        Spans(f"http://127.0.0.1:{port}", synthetic[0])


@pytest.mark.parametrize(
    ("hidden", "option"),
    [("prometheus-client", "--metrics=0"), ("opentelemetry-sdk", "--otlp=http://127.0.0.1:1")],
)
def test_without_its_package_an_option_says_what_to_type(hidden, option):
    done = subprocess.run(
        [sys.executable, "-m", "modelmuster", "run", "bert", "--target", "mock", option],
        capture_output=True, text=True, check=False, env={**os.environ, "MUSTER_HIDE": hidden},
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'modelmuster[monitoring]'" in done.stderr
