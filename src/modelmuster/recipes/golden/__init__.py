"""Golden packs: checkpoints with inputs and float64 outputs, so that another version can be held to this one's numbers.

A pack is a folder: for each architecture a folder with what `save_pretrained` writes, `inputs.safetensors`,
`outputs.safetensors` and `entry.json`; `manifest.json` lists them, and `SHA256SUMS` holds the hash of every file, as
`sha256sum --check` reads it.
"""

from __future__ import annotations
