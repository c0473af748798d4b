"""How many seeded faults the checks catch, and how often they alarm at healthy models.

A fault is data (`faults/*.toml`): an architecture and a slip of the pen in one of the functions that it runs. Each is
put into the loaded code of one child process; nothing on the disk is touched.
"""

from __future__ import annotations
