"""The Beta posterior of a share, and its lower bound; pure."""

from __future__ import annotations

from math import exp, lgamma, log

# One success and one failure before anything is known: Bayes and Laplace.
PRIOR = 1.0
ONE_SIDED = 0.1
STEPS = 60
TINY = 1e-300


def posterior(right: float, n: float) -> tuple[float, float]:
    """Mean and lower 90 % bound of a share, after `right` (not always whole) of `n`.

    The bound is the tenth percentile of Beta(right + 1, n - right + 1): nine times in ten the
    truth lies above it. With nothing known that is a mean of 0.5 and a bound of 0.1.
    """
    a, b = PRIOR + right, PRIOR + n - right
    return a / (a + b), beta_quantile(ONE_SIDED, a, b)


def beta_quantile(share: float, a: float, b: float) -> float:
    """The point below which `share` of Beta(a, b) lies, by bisection; to about 1e-15."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if beta_below(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_below(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) below x: the regularised incomplete beta function.

    By its continued fraction (DLMF 8.17.22), evaluated from the front (Lentz 1976).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _safe(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _safe(1 + step * d)
            c = _safe(1 + step / c)
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _safe(number: float) -> float:
    return number if abs(number) > TINY else TINY


def worth_of_verdict(*, accepted: bool, round_number: int) -> float:
    """What a reviewer's verdict says of its author: 1 for accepted at once, a half after rework."""
    if not accepted:
        return 0.0
    return 1.0 if round_number == 1 else 0.5
