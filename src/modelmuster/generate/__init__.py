"""Readable pytest files, one per architecture: blueprint → template → formatted, compiled, collected → written."""
