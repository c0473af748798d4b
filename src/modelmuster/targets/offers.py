"""What every target asks before it opens a subject: is this dtype, and this device, to be had here at all?"""

from __future__ import annotations

from modelmuster.contracts import Probe, Target
from modelmuster.errors import Unavailable, Unsupported


def require(target: Target, dtype: str) -> Probe:
    """What the target's probe found.

    Raises:
        Unsupported: the target is not asked for this dtype.
        Unavailable: its device or a package is not there.
    """
    if dtype not in target.dtypes:
        raise Unsupported(f"{target.name} offers {', '.join(target.dtypes)}, not {dtype}")
    found = target.probe()
    if not found.available:
        raise Unavailable(f"{target.name} is not available: {found.reason}", hint=found.remedy)
    return found
