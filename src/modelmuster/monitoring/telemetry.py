"""A run for OpenTelemetry: the same numbers as metrics, and a span for each attempt at a cell, sent by OTLP."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from modelmuster import __version__
from modelmuster.contracts import Progress
from modelmuster.errors import MissingDependency, UsageError
from modelmuster.monitoring.metrics import BOUNDS_S, METRICS, Kind, Metric
from modelmuster.records import FINDINGS, CellRecord, Outcome, Plan
from modelmuster.views.rates import severity

ANSWER_S = 5.0
"""How long to wait for a collector to accept a connection when a run begins."""

GIVE_UP_MS = 10_000
"""How long the end of a run waits for one that answers no more."""


class OtlpMeter:
    """Sends the numbers every minute, or as `OTEL_METRIC_EXPORT_INTERVAL` says, and once more at the end."""

    def __init__(self, endpoint: str, plan: Plan) -> None:
        """Get ready to send. What cannot be sent later is told in a line on standard error, and does not stop the run.

        Args:
            endpoint: of a collector, such as `http://127.0.0.1:4318`.
            plan: whose run it is.

        Raises:
            MissingDependency: opentelemetry-sdk or its exporter is not installed.
            UsageError: the endpoint is no address, or nobody listens there.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.metrics import MeterProvider
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        except ImportError as error:
            raise _missing() from error
        address = _address(endpoint)
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{address}/v1/metrics"))
        self._provider = MeterProvider([reader], resource=_resource(plan), shutdown_on_exit=False)
        meter = self._provider.get_meter("modelmuster", __version__)
        self._held = {metric.name: _made(meter, metric) for metric in METRICS}

    def add(self, metric: Metric, labels: Mapping[str, str], by: int = 1) -> None:
        """To a counter."""
        self._held[metric.name].add(by, labels)

    def set(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """A gauge."""
        self._held[metric.name].set(value, labels)

    def observe(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """In a histogram."""
        self._held[metric.name].record(value, labels)

    def close(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown(timeout_millis=GIVE_UP_MS)


class Spans:
    """One trace for a run, and in it one span for each attempt, from its beginning to its end."""

    def __init__(self, endpoint: str, plan: Plan) -> None:
        """As for `OtlpMeter`.

        Raises:
            MissingDependency: opentelemetry-sdk or its exporter is not installed.
            UsageError: the endpoint is no address, or nobody listens there.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise _missing() from error
        address = _address(endpoint)
        self._provider = TracerProvider(resource=_resource(plan), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{address}/v1/traces")))
        self._tracer = self._provider.get_tracer("modelmuster", __version__)
        self._run: Any = None
        self.plan = plan

    def __enter__(self) -> Self:
        self._run = self._tracer.start_span(
            "run", attributes={"muster.run": self.plan.run_id, "muster.cells": len(self.plan.cells)}
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._run.end()
        self._provider.shutdown()

    def record(self, record: CellRecord) -> None:
        """A cell ended."""
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        began = int(datetime.fromisoformat(record.started_at).timestamp() * 1e9)
        span = self._tracer.start_span(
            record.cell.id, set_span_in_context(self._run), attributes=_attributes(record), start_time=began
        )
        found = [result for result in record.results if result.outcome in FINDINGS]
        if found:
            worst = max(found, key=lambda result: severity(result.outcome))
            span.set_status(Status(StatusCode.ERROR, f"{worst.check}: {worst.outcome}: {worst.message}"))
        span.end(began + int((record.measurement.duration_ms or 0.0) * 1e6))

    def progress(self, progress: Progress) -> None:
        """Nothing: spans are told once they have ended."""


def _attributes(record: CellRecord) -> dict[str, str | int | bool]:
    counts = {outcome: sum(result.outcome is outcome for result in record.results) for outcome in Outcome}
    return {
        "muster.architecture": record.cell.model_type,
        "muster.family": record.cell.family.value,
        "muster.target": record.cell.target,
        "muster.dtype": record.cell.dtype,
        "muster.scale": record.cell.scale.value,
        "muster.inference": record.provenance.inference.value,
        "muster.worker": record.worker,
        "muster.attempt": record.attempt,
        "muster.final": record.final,
        "muster.lost": record.lost,
        **{f"muster.results.{outcome.value}": count for outcome, count in counts.items() if count},
    }


def _made(meter: Any, metric: Metric) -> Any:
    match metric.kind:
        case Kind.COUNTER:
            return meter.create_counter(metric.name, description=metric.says)
        case Kind.GAUGE:
            return meter.create_gauge(metric.name, description=metric.says)
        case Kind.HISTOGRAM:
            bounds = list(BOUNDS_S)
            return meter.create_histogram(
                metric.name, description=metric.says, explicit_bucket_boundaries_advisory=bounds
            )


def _resource(plan: Plan) -> Any:
    from opentelemetry.sdk.resources import Resource

    return Resource.create(
        {"service.name": "modelmuster", "service.version": __version__, "service.instance.id": plan.run_id}
    )


def _address(endpoint: str) -> str:
    """The endpoint, where somebody listens: a run of hours should not end with nothing sent."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (KeyError, ValueError):
        host = None
    if host is None:
        raise UsageError(f"cannot read --otlp {endpoint}", hint="such as --otlp http://127.0.0.1:4318")
    try:
        socket.create_connection((host, port), ANSWER_S).close()
    except OSError as error:
        raise UsageError(
            f"nobody listens at {endpoint} for --otlp: {error.strerror or error}",
            hint="start the collector first; it takes OTLP over HTTP, mostly at port 4318",
        ) from error
    return endpoint.rstrip("/")


def _missing() -> MissingDependency:
    return MissingDependency("opentelemetry-exporter-otlp-proto-http", purpose="--otlp", extra="monitoring")
