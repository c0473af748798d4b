"""What can be taken away as a file: a table as it is shown, and every result of a run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from modelmuster.errors import MusterError, UnknownName
from modelmuster.pages.rows import as_csv
from modelmuster.store.export import FORMATS, export
from modelmuster.views import runs

if TYPE_CHECKING:
    from flask import Flask, Response

    from modelmuster.dashboard.app import Pages


def install(server: Flask, pages: Pages) -> None:
    """Answer the addresses of files."""
    from flask import Response, request

    def table(page: str = "") -> Response:
        found, rows = pages.table(page, request.query_string.decode())
        return Response(as_csv(found, rows), mimetype="text/csv")

    def results(run_id: str, name: str) -> Response:
        if name not in FORMATS:
            raise UnknownName("file", name, FORMATS, see="the links below a page")
        with pages.snapshots.reader() as reader, TemporaryDirectory() as folder:
            [path] = export(reader, runs.find(reader, run_id).key, Path(folder), [name])
            return Response(path.read_bytes(), mimetype="application/octet-stream")

    def refuse(error: MusterError) -> Response:
        return Response(f"{error}\n", status=404, mimetype="text/plain")

    server.add_url_rule("/download/", "table of the overview", table)
    server.add_url_rule("/download/<page>", "table", table)
    server.add_url_rule("/data/<run_id>/<name>", "results", results)
    server.register_error_handler(MusterError, refuse)
