"""What exists: every model type of the installed transformers, with its classes, family, traits and needs."""

from modelmuster.catalog.changes import Change, Changes, diff
from modelmuster.catalog.contents import Catalog
from modelmuster.catalog.loading import introspect, load, open_catalog, why_not_installed
from modelmuster.catalog.names import Resolution, resolve

__all__ = [
    "Catalog",
    "Change",
    "Changes",
    "Resolution",
    "diff",
    "introspect",
    "load",
    "open_catalog",
    "resolve",
    "why_not_installed",
]
