"""What models say is set right by a sample of few, chosen by doubt: no worse than before."""

from __future__ import annotations

import numpy as np

from marketplace.quality.rules.crowd import Labels
from marketplace.quality.rules.joint import Said, joint

SIZE = 1_000


def test_judgements_of_doubtful_items_do_not_spoil_the_others() -> None:
    """Two models right in 80 % of items; where they differ, which half goes to specialists, the
    third label is right more often than elsewhere, and that must not be learnt for all."""
    before: list[float] = []
    after: list[float] = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 3, SIZE)
        said = [np.where(rng.random(SIZE) < 0.8, truth, rng.integers(0, 3, SIZE)) for _ in "ab"]
        doubtful = np.flatnonzero(said[0] != said[1])[:30]
        sure = np.flatnonzero(said[0] == said[1])
        audit = rng.choice(sure, 20, replace=False)
        judged = np.concatenate([doubtful, audit])
        weights = np.ones(SIZE)
        weights[audit] = len(sure) / len(audit)
        tasks = np.concatenate([np.arange(SIZE), np.arange(SIZE), judged])
        labels = np.concatenate([*said, truth[judged]])
        authors = np.repeat([0, 1, 2], [SIZE, SIZE, len(judged)])

        for rows, found in ((2 * SIZE, before), (len(tasks), after)):
            cut = [each[:rows].astype(np.int32) for each in (tasks, authors, labels)]
            heard = Said(
                Labels(cut[0], cut[1], cut[2], SIZE, 3, 3),
                np.full(rows, np.nan),
                np.array([False, False, True]),
                weights,
            )
            found.append(float((joint(heard).alone.argmax(axis=1) == truth).mean()))

    assert np.mean(after) >= np.mean(before) - 0.01
    assert min(after) > 0.7
