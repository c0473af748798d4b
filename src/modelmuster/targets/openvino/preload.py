"""Imported by the fork server: the Python half of OpenVINO, which takes longer than most tiny models do to run.

Neither a device's plug-in nor a thread comes with it; those are for the children.
"""

from __future__ import annotations

from modelmuster.targets.openvino import runtime

runtime.load()
