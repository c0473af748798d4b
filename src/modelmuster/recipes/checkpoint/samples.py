"""What a checkpoint's own tokenizer and processors are given: real sentences, a drawn picture, a clip and a sound."""

from __future__ import annotations

import numpy as np

SENTENCES = (
    "The quick brown fox jumps over the lazy dog near the old river bank.",
    "A small red boat crosses the quiet lake before the evening rain comes.",
)
ANSWERS = ("The fox is very quick.", "The boat is very small.")
"""Given to a decoder that has an encoder of its own."""

HEIGHT, WIDTH = 240, 320
SECONDS = 2.0


def pictures() -> list[np.ndarray]:
    """Two pictures, uint8 [height, width, 3]: a disc on a slope of colours, and a box on another."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    first = _slope(rows, columns, (200, 60, 20))
    first[(rows - HEIGHT // 2) ** 2 + (columns - WIDTH // 3) ** 2 < 60**2] = (230, 230, 40)
    second = _slope(columns, rows, (30, 90, 210))
    second[50:150, 120:260] = (250, 250, 250)
    return [first, second]


def clips(frames: int) -> list[list[np.ndarray]]:
    """Two clips of the pictures, each moving to the right by a few pixels a frame."""
    return [[np.roll(picture, 4 * step, axis=1) for step in range(frames)] for picture in pictures()]


def sounds(rate: int) -> list[np.ndarray]:
    """Two sounds, float32 in [-1, 1]: a rising tone, and a chord that fades."""
    time = np.arange(int(SECONDS * rate)) / rate
    rising = np.sin(2 * np.pi * (220 + 110 * time) * time)
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (262, 330, 392)) / 3 * np.exp(-time)
    return [(0.5 * sound).astype(np.float32) for sound in (rising, chord)]


def _slope(along: np.ndarray, across: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    shade = 0.5 + 0.5 * along / along.max()
    picture = shade[..., None] * np.array(colour) + 20 * np.sin(across / 9)[..., None]
    return np.asarray(picture.clip(0, 255), dtype=np.uint8)
