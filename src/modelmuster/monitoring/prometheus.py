"""An address that Prometheus scrapes while a run goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmuster.errors import MissingDependency, UsageError
from modelmuster.monitoring.metrics import BOUNDS_S, METRICS, Kind, Metric

_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]+):)?(?P<port>\d{1,5})")


class PrometheusMeter:
    """Keeps every number and answers whoever asks, until it is closed."""

    def __init__(self, address: str) -> None:
        """Listen.

        Args:
            address: `PORT` for this machine alone, or `HOST:PORT`; port 0 for any that is free.

        Raises:
            MissingDependency: prometheus-client is not installed.
            UsageError: the address cannot be read or listened on.
        """
        host, port = _parsed(address)
        try:
            import prometheus_client
        except ImportError as error:
            raise MissingDependency("prometheus-client", purpose="--metrics", extra="monitoring") from error
        registry = prometheus_client.CollectorRegistry()
        self._held = {metric.name: _made(prometheus_client, registry, metric) for metric in METRICS}
        try:
            self._server, self._thread = prometheus_client.start_http_server(port, host, registry)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {address} for --metrics: {error.strerror or error}",
                hint="choose another port, or 0 for any that is free: --metrics 0",
            ) from error
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_port}/metrics"

    def add(self, metric: Metric, labels: Mapping[str, str], by: int = 1) -> None:
        """To a counter."""
        self._held[metric.name].labels(**labels).inc(by)

    def set(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """A gauge."""
        self._held[metric.name].labels(**labels).set(value)

    def observe(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """In a histogram."""
        self._held[metric.name].labels(**labels).observe(value)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _parsed(address: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > 65535:
        raise UsageError(f"cannot read --metrics {address}", hint="such as --metrics 9464, or --metrics 0.0.0.0:9464")
    return (found["host"] or "127.0.0.1").strip("[]"), int(found["port"])


def _made(library: Any, registry: Any, metric: Metric) -> Any:
    match metric.kind:
        case Kind.COUNTER:
            return library.Counter(metric.name, metric.says, metric.labels, registry=registry)
        case Kind.GAUGE:
            return library.Gauge(metric.name, metric.says, metric.labels, registry=registry)
        case Kind.HISTOGRAM:
            return library.Histogram(metric.name, metric.says, metric.labels, registry=registry, buckets=BOUNDS_S)
