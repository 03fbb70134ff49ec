"""What a fit of categorical labels answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.calibration import Calibration
from marketplace.quality.rules.categorical.prior import Floats, Prior

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Member:
    """A model of the pool and its share in the answer; weight 0 where it was left out."""

    name: str
    weight: float


@dataclass(frozen=True, eq=False)
class Fit:
    """Posteriors of tasks and what was learned of authors. T tasks, A authors, K classes.

    posterior: float64[T, K], calibrated, rows sum to 1
    confusion: float32[A, K, K], the expected chance of a label (column) given the truth (row)
    counts: float32[A, K, K], expected votes behind `confusion`, rows = truth
    reliability: float64[A], the expected share of right labels; lower and upper hold 90 %
    prior: float64[K], each class's share of the tasks
    difficulty: float64[T], 0 for a task that everybody gets right, 1 for one left to chance
    members: the models of the pool and their weights
    population: what is expected of an author who has said nothing yet; online.update takes it
    calibration: what turned the pool's posterior into a calibrated one
    """

    posterior: Floats
    confusion: Singles
    counts: Singles
    reliability: Floats
    lower: Floats
    upper: Floats
    prior: Floats
    difficulty: Floats
    members: tuple[Member, ...]
    population: Prior
    calibration: Calibration
