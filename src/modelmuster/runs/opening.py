"""A subject on its target: what a cell that checks and a cell that measures do alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from modelmuster.contracts import Job, Keeping, Session, Subject, Target
from modelmuster.records import Stage


def opened(job: Job, target: Target, subject: Subject, entering: Callable[[Stage], None]) -> Session:
    """The session of the job's cell, with the folder for what the target keeps."""
    if isinstance(target, Keeping):
        target.cache_dir = Path(job.cache_dir) if job.cache_dir else None
    entering(Stage.LOAD)
    return target.open(subject, job.cell.dtype, entering)
