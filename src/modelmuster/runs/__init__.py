"""From a plan to records: one contained child process per cell, an fsync'd journal, resumable runs."""
