"""Whether a unit that somebody marked is there, from who marked it and who did not.

A unit comes to be because at least one author marked it. One that is there is found by each author
with a rate of their own, given that anybody did (as in capture and recapture, Otis and others
1978); one that is not was made up by one author, and others fall in with it rarely. A plain vote
with a label for “nothing” mistakes the mark that made the unit for evidence that people mark
what is not there.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

ROUNDS = 200
STILL = 1e-6
# What is taken for granted before anything is seen: finds of an author, and others falling in.
FOUND, LOOKED = 7.0, 10.0
FELL_IN, COULD = 1.0, 20.0
THERE, UNITS = 3.0, 4.0
TINY = 1e-12


def there(marked: Flags, asked: Flags) -> Floats:
    """How likely each unit is there, float64[U], by expectation-maximisation.

    marked, asked: bool[U, A]; marked only where asked, and at least once in each row.
    """
    marks, looked = marked.astype(np.float64), asked.astype(np.float64)
    count, others = marks.sum(axis=1), looked.sum(axis=1) - 1
    rate = np.full(marks.shape[1], FOUND / LOOKED)
    invents = np.full(marks.shape[1], 1.0)
    falls_in, share = FELL_IN / COULD, THERE / UNITS
    belief = np.zeros(len(marks))
    for _ in range(ROUNDS):
        unseen = np.exp(looked @ np.log1p(-rate))
        real = marks @ np.log(rate) + (looked - marks) @ np.log1p(-rate) - np.log1p(-unseen)
        maker = (marks @ invents) / np.maximum(looked @ invents, TINY)
        made = np.log(maker) + (count - 1) * np.log(falls_in)
        made += (others - count + 1) * np.log1p(-falls_in)
        before = belief
        odds = np.log(share) - np.log1p(-share) + real - made
        belief = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        if np.abs(belief - before).max(initial=0.0) < STILL:
            break
        # Units that are there and that nobody found were looked at too.
        weight = belief / (1 - unseen)
        rate = (belief @ marks + FOUND) / (weight @ looked + LOOKED)
        rate = np.clip(rate, 0.01, 0.99)
        absent = 1 - belief
        falls_in = (absent @ (count - 1) + FELL_IN) / (absent @ others + COULD)
        share = (belief.sum() + THERE) / (len(belief) + UNITS)
        each = marks * invents / np.maximum(marks @ invents, TINY)[:, np.newaxis]
        invents = (absent @ each + 1) / (looked.sum(axis=0) + len(invents))
    return belief
