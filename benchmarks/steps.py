"""How many steps in made-up measurements are found, and how often one is seen where there is none."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from modelmuster.history.steps import Verdict, judge

LENGTH = 40
TRIALS = 400
NEAR = 2
"""How many runs off a step may be placed to count as found."""

_Series = tuple[list[float], int | None]
"""Values, and the place of the step that is in them."""


def steady(dice: random.Random, noise: float) -> _Series:
    return [10 * dice.lognormvariate(0, noise) for _ in range(LENGTH)], None


def outliers(dice: random.Random, noise: float) -> _Series:
    values, _ = steady(dice, noise)
    for place in dice.sample(range(2, LENGTH - 1), 3):
        values[place] *= dice.choice((1.8, 2.5, 0.6))
    return values, None


def heavy_tails(dice: random.Random, noise: float) -> _Series:
    """Noise as busy machines make it: mostly small, now and then slower, never faster."""
    return [10 * math.exp(noise * (dice.gauss(0, 1) + dice.expovariate(1))) for _ in range(LENGTH)], None


def drift(dice: random.Random, noise: float) -> _Series:
    """30 % slower over the whole length, a little with each run: a step anywhere tells it."""
    values, _ = steady(dice, noise)
    return [value * 1.3 ** (place / LENGTH) for place, value in enumerate(values)], None


def step(ratio: float) -> Callable[[random.Random, float], _Series]:
    def made(dice: random.Random, noise: float) -> _Series:
        values, _ = steady(dice, noise)
        place = dice.randrange(6, LENGTH - 4)
        return [value * (ratio if at >= place else 1) for at, value in enumerate(values)], place

    return made


def step_among_outliers(dice: random.Random, noise: float) -> _Series:
    values, _ = outliers(dice, noise)
    place = dice.randrange(6, LENGTH - 4)
    return [value * (1.3 if at >= place else 1) for at, value in enumerate(values)], place


def main() -> None:
    """Print detection and false-alarm rates by kind of series and noise."""
    noises = (0.01, 0.03, 0.05, 0.10, 0.30)
    print(f"{TRIALS} series of {LENGTH} runs each; columns: noise from run to run")
    print(f"  {'':<34}" + "".join(f"{noise:>8.0%}" for noise in noises))
    for name, make in (("steady", steady), ("outliers", outliers), ("heavy tails", heavy_tails)):
        _print(f"false alarms: {name}", [_share(make, noise, _alarmed) for noise in noises])
    _print("told: drift of 30 %", [_share(drift, noise, _alarmed) for noise in noises])
    for ratio in (1.05, 1.1, 1.2, 1.5, 0.8):
        _print(f"found: step of {ratio - 1:+.0%}", [_share(step(ratio), noise, _found) for noise in noises])
    _print("found: step of +30%, 3 outliers", [_share(step_among_outliers, noise, _found) for noise in noises])
    _print("too noisy to judge: step of +50%", [_share(step(1.5), noise, _too_noisy) for noise in noises])


def _share(
    make: Callable[[random.Random, float], _Series], noise: float, holds: Callable[[list[float], int | None], bool]
) -> float:
    dice = random.Random(noise)
    return sum(holds(*make(dice, noise)) for _ in range(TRIALS)) / TRIALS


def _alarmed(values: list[float], _: int | None) -> bool:
    return bool(judge(values).steps)


def _found(values: list[float], place: int | None) -> bool:
    return place is not None and any(abs(one.at - place) <= NEAR for one in judge(values).steps)


def _too_noisy(values: list[float], _: int | None) -> bool:
    return judge(values).verdict is Verdict.TOO_NOISY


def _print(name: str, shares: list[float]) -> None:
    print(f"  {name:<34}" + "".join(f"{share:>8.1%}" for share in shares), flush=True)
