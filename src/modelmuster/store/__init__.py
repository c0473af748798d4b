"""The database behind every report: derived from run folders, rebuilt at will, read through a published snapshot.

Only this package imports duckdb. One process writes; readers open a copy and are never locked out.
"""

from __future__ import annotations

from modelmuster.store.folders import Damage
from modelmuster.store.ingest import IngestReport, ingest, rebuild
from modelmuster.store.reader import Answer, Reader, reader, refuse_newer_store

__all__ = ["Answer", "Damage", "IngestReport", "Reader", "ingest", "reader", "rebuild", "refuse_newer_store"]
