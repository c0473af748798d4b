"""Known upstream failures, as data: what is foreseen, by whom it was reproduced, and when it stops being true.

The TOML files beside this one are the package's own; a project keeps its own in `expectations/`. One entry:

    [[expected]]
    architecture = "longformer"     # a name or a glob
    check = "padding"
    target = "torch:cpu"            # a name or a glob; every target without it
    outcome = "fail"
    transformers = ">=5.23.0"       # versions it holds for; every version without it
    reason = "Global attention is given to the first token, whether or not the mask hides it."
    link = "https://github.com/huggingface/transformers/issues/1"

`class`, `dtype` (float32) and `scale` (tiny) narrow it further. An entry without a reason is refused.
"""

from __future__ import annotations
