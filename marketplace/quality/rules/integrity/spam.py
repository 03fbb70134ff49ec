"""Authors whose labels tell nothing of the truth: dice, one label for all, the usual shares.

What an author tells is the mutual information between truth and label under their confusion,
drawn to the population's where labels are few (Raykar and Yu 2012, Eliminating spammers and
ranking annotators). Somebody who answers the wrong way round tells much, and is no spammer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.categorical import Fit
from marketplace.quality.rules.integrity.findings import (
    FALSE_SHARE,
    Finding,
    FindingKind,
    Floats,
    false_shares,
)

Counts: TypeAlias = npt.NDArray[np.float64]

DRAWS = 400
STRENGTH = 4.0
# Dice must tell as much at least so often, or the author is a weak one and no spammer.
DICE_LEAST = 0.05
SEED = 20_061
TINY = 1e-12


def information(confusion: Floats, prior: Floats) -> Floats:
    """Nats that a label tells of the truth, float64[…], 0 and up. confusion: float64[…, K, K], rows
    are truths; prior: float64[K]."""
    said = np.einsum("k,...kl->...l", prior, confusion)
    ratio = np.log(np.maximum(confusion, TINY) / np.maximum(said[..., None, :], TINY))
    return np.asarray(np.einsum("k,...kl->...", prior, confusion * ratio), np.float64)


def spam(fit: Fit, names: Sequence[Hashable], *, false_share: float = FALSE_SHARE) -> list[Finding]:
    """Authors who tell so little that an ordinary one with as many labels rarely would.

    names: of the authors of the fit, in its order.
    """
    prior = np.asarray(fit.prior, np.float64)
    counts = np.asarray(fit.counts, np.float64)
    number = counts.sum(axis=(1, 2))
    if not number.sum() or len(prior) < 2:
        return []
    usual = _usual(counts)
    told = information(_drawn(counts, usual), prior)
    others = [_others(counts[at], usual, prior, at) for at in range(len(names))]
    ordinary_less = np.array(
        [_share(drawn <= at) for (drawn, _), at in zip(others, told, strict=True)]
    )
    dice_more = np.array([_share(drawn >= at) for (_, drawn), at in zip(others, told, strict=True)])
    shares = false_shares(ordinary_less)
    ordinary = float(information(usual, prior))
    # The ranking is by the fit's own confusion, which shrinks by profession and class.
    order = np.argsort(information(np.asarray(fit.confusion, np.float64), prior), kind="stable")
    return [
        Finding(
            FindingKind.SPAM,
            (names[at],),
            float(shares[at]),
            {
                "labels": round(float(number[at])),
                "information": float(told[at]),
                "information_usual": ordinary,
                "dice_tell_as_much": float(dice_more[at]),
                "reliability": float(fit.reliability[at]),
                "commonest_label_share": float(counts[at].sum(axis=0).max() / number[at]),
            },
        )
        for at in order
        if number[at] > 0 and shares[at] <= false_share and dice_more[at] >= DICE_LEAST
    ]


def _usual(counts: Counts) -> Floats:
    """The confusion of all labels together, float64[K, K], a little smoothed."""
    whole = counts.sum(axis=0) + 0.1
    return np.asarray(whole / whole.sum(axis=1, keepdims=True), np.float64)


def _drawn(counts: Counts, usual: Floats) -> Floats:
    held = counts + STRENGTH * usual
    return np.asarray(held / held.sum(axis=-1, keepdims=True), np.float64)


def _others(mine: Counts, usual: Floats, prior: Floats, seed: int) -> tuple[Floats, Floats]:
    """What an ordinary author, and dice with this author's shares, would tell of these truths in
    DRAWS trials each."""
    source = np.random.default_rng((SEED, seed))
    truths = np.rint(mine.sum(axis=1)).astype(np.int64)
    said = mine.sum(axis=0) + usual.mean(axis=0)
    dice = np.repeat((said / said.sum())[np.newaxis], len(truths), axis=0)
    ordinary, thrown = (
        np.stack(
            [source.multinomial(n, row, DRAWS) for n, row in zip(truths, table, strict=True)],
            axis=1,
        )
        for table in (usual, dice)
    )
    return (
        information(_drawn(ordinary.astype(np.float64), usual), prior),
        information(_drawn(thrown.astype(np.float64), usual), prior),
    )


def _share(held: npt.NDArray[np.bool_]) -> float:
    return float((1 + held.sum()) / (1 + DRAWS))
