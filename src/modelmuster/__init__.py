"""modelmuster: every Hugging Face architecture, on every runtime you have, really run and honestly reported."""

__version__ = "0.1.0"
