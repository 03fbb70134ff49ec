"""The strengths of the systems that a job's items compare, for the page of its quality."""

from __future__ import annotations

from math import exp

from markupsafe import Markup

from marketplace.quality.queries import JobComparison
from marketplace.web import quality_plots
from marketplace.web.filters import percent
from marketplace.web.quality_plots import Dot

SYSTEMS_DRAWN = 20


def win_ratio(score: float) -> float:
    """How often a system of this strength is preferred to one of middle strength, ties aside."""
    return 1 / (1 + exp(-max(-50.0, min(50.0, score))))


def strengths_plot(compared: JobComparison) -> Markup:
    """The systems, the strongest first, each with its interval."""
    dots = [
        Dot(
            system.name,
            f"{system.n:,} met",
            win_ratio(system.score),
            win_ratio(system.lower),
            win_ratio(system.upper),
        )
        for system in compared.systems[:SYSTEMS_DRAWN]
    ]
    return quality_plots.dots(
        "How often each is preferred to one of middle strength",
        dots,
        words=lambda value: percent(value, 0),
        measure="Preferred",
    )
