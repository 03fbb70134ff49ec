"""Calibration: posteriors whose confidence is how often they are right (Guo et al. 2017).

Models of independent authors are too sure, the more so the more authors speak of a task, since
errors hang together. n votes that correlate by `crowding` are worth n / (1 + (n - 1) crowding)
(Kish 1965), and the logarithms of a posterior shrink by as much; `temperature` shrinks all alike;
`smoothing` leaves a little chance to what nobody said. Where truths are known the last two are
fitted to them, and lean on the defaults as long as there are few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from marketplace.quality.rules.crowd import UNKNOWN, Floats, Ints

TINY = 1e-9
TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(6.0), 26))
SMOOTHINGS = np.array([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.18])
# How far each parameter may lie from its default, as a standard deviation of its logarithm.
STRAY = 0.7


@dataclass(frozen=True)
class Calibration:
    """What turns a raw posterior into a calibrated one.

    The defaults are those of the least mean log-loss over eleven public crowds; leaving any one
    of them out gives the same crowding and temperature but for three, which like 0.02 and 3.
    """

    temperature: float = 2.0
    crowding: float = 0.05
    smoothing: float = 0.05

    def to_json(self) -> dict[str, float]:
        """The parameters as JSON."""
        return {
            "temperature": self.temperature,
            "crowding": self.crowding,
            "smoothing": self.smoothing,
        }

    def members_only(self) -> Calibration:
        """What each model of a pool goes through before they are mixed: crowding alone."""
        return Calibration(1.0, self.crowding, 0.0)

    def mixture_only(self) -> Calibration:
        """What the mixture goes through, once its members were calibrated."""
        return Calibration(self.temperature, 0.0, self.smoothing)

    @staticmethod
    def from_json(kept: Mapping[str, float]) -> Calibration:
        """The parameters that `to_json` wrote."""
        return Calibration(kept["temperature"], kept["crowding"], kept["smoothing"])


DEFAULT = Calibration()
NONE = Calibration(1.0, 0.0, 0.0)


def apply(posterior: Floats, calibration: Calibration, votes: Floats | None = None) -> Floats:
    """Calibrated posteriors float64[T, K]; the order of the classes stays.

    votes: float64[T], the number of labels behind each; None takes crowding for nothing.
    """
    k = posterior.shape[1]
    heat = np.full((len(posterior), 1), calibration.temperature)
    if votes is not None:
        heat = heat * (1 + np.maximum(votes - 1, 0) * calibration.crowding)[:, None]
    score = np.log(posterior + TINY) / heat
    score = np.exp(score - score.max(1, keepdims=True))
    score /= score.sum(1, keepdims=True)
    found: Floats = (1 - calibration.smoothing) * score + calibration.smoothing / k
    return found


def fit(
    posterior: Floats,
    truth: Ints,
    votes: Floats | None = None,
    default: Calibration = DEFAULT,
) -> Calibration:
    """The calibration under which known truths are likeliest, leaning on the default.

    posterior: float64[T, K], made without the truth it is held against
    truth: int32[T], -1 where unknown; without any known the answer is the default
    """
    known = truth != UNKNOWN
    if not known.any():
        return default
    told, right = posterior[known], truth[known]
    counted = None if votes is None else votes[known]
    best, found = -np.inf, default
    for temperature in default.temperature * TEMPERATURES:
        for smoothing in SMOOTHINGS:
            tried = Calibration(float(temperature), default.crowding, float(smoothing))
            shares = apply(told, tried, counted)[np.arange(len(right)), right]
            likely = float(np.log(shares + TINY).sum()) + _usual(tried, default)
            if likely > best:
                best, found = likely, tried
    return found


def _usual(tried: Calibration, default: Calibration) -> float:
    hotter = np.log(tried.temperature / default.temperature)
    smoother = np.log(max(tried.smoothing, TINY) / max(default.smoothing, TINY))
    return float(-(hotter**2 + (smoother / 2) ** 2) / (2 * STRAY**2))


def expected_error(posterior: Floats, truth: Ints, bins: int = 15) -> float:
    """The expected calibration error of the chosen labels over tasks of known truth, 0 … 1."""
    known = truth != UNKNOWN
    if not known.any():
        return 0.0
    sure = posterior[known].max(1)
    right = posterior[known].argmax(1) == truth[known]
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    counted = np.bincount(place, minlength=bins)
    gap = np.bincount(place, sure, bins) - np.bincount(place, right, bins)
    return float(np.abs(gap[counted > 0]).sum() / known.sum())


def log_loss(posterior: Floats, truth: Ints, floor: float = TINY) -> float:
    """The mean of minus the logarithm of the truth's chance, in nats."""
    known = np.flatnonzero(truth != UNKNOWN)
    if not len(known):
        return 0.0
    return float(-np.log(np.maximum(posterior[known, truth[known]], floor)).mean())
