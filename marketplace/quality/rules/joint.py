"""What models alone, and models with specialists, say of the items of a pipeline.

A model that states how sure it is, is heard as several authors, one for each band of what it
states, so that “0.99” of one model may turn out to be worth less than “0.8” of another. All
authors stand in one hierarchical model of the labels (Dawid and Skene 1979), models and
specialists alike. What models say alone never knows what specialists said of the same item, which
is what makes an audit of it one; it is set right by what specialists say of the items that they
saw (Guo et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.categorical.dawid_skene import DawidSkene
from marketplace.quality.rules.categorical.stacking import stack
from marketplace.quality.rules.categorical.votes import Outcome, Votes, maximise, posterior
from marketplace.quality.rules.crowd import UNKNOWN, Labels

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

# The edges of the bands of a stated confidence; a band of its own for what states none.
BANDS = np.array([0.0, 0.6, 0.75, 0.85, 0.92, 0.97, 0.99])
# With as many items judged by specialists, models are believed as far as they were borne out.
JUDGED_MIN = 40
# What a model is taken to be that states nothing, while nobody has looked.
UNSTATED = 0.75
# However sure the votes of specialists look, as much is left to what models say.
SLIP = 0.03
_TEMPERATURES = np.exp(np.linspace(np.log(0.1), np.log(4.0), 40))
_SMOOTHINGS = np.array([0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25])
_LEAST = 1e-9
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FOLDS = 5
# The regression keeps a number for each item and each judged one: 200 MB.
STACKED_CELLS_MAX = 25_000_000


@dataclass(frozen=True, eq=False)
class Said:
    """Votes in columns, models' and specialists'.

    votes: as in crowd.Labels; stated: float64[n], how sure the author says to be, NaN where it
    does not; is_human: bool[A]; weights: float64[T], how many tasks each judged one stands for
    (1 / its chance to be judged), None where all had the same.
    """

    votes: Labels
    stated: Floats
    is_human: Flags
    weights: Floats | None = None

    @property
    def by_humans(self) -> Flags:
        """Which votes are specialists'."""
        return self.is_human[self.votes.authors]

    def heard_of(self, *, humans: bool) -> Ints:
        """How many specialists, or models, spoke of each task."""
        mask = self.by_humans if humans else ~self.by_humans
        counts = np.bincount(self.votes.tasks[mask], minlength=self.votes.task_count)
        return counts.astype(np.int32)


@dataclass(frozen=True, eq=False)
class Joint:
    """Chances of each label: `alone` by models, `together` with what specialists said; of a task
    that no model spoke of, alone is flat. float64[T, K]; rows sum to 1. reliability: float64[A],
    the expected share of right labels of each author, NaN where nothing tells."""

    alone: Floats
    together: Floats
    reliability: Floats


def joint(said: Said, gold: Ints | None = None) -> Joint:
    """The posteriors; gold: int32[T], the known truth, UNKNOWN elsewhere."""
    votes = said.votes
    known = np.full(votes.task_count, UNKNOWN, dtype=np.int32) if gold is None else gold
    authors, owners = _banded(said)
    banded = Labels(
        votes.tasks, authors, votes.labels, votes.task_count, len(owners), votes.label_count
    )
    kinds = np.unique(np.where(said.is_human[owners], 0, owners + 1), return_inverse=True)[1]
    fitted = _fit(
        Votes(banded, known), DawidSkene(votes.label_count, groups=kinds.astype(np.int32))
    )
    judged = (said.heard_of(humans=True) > 0) | (known != UNKNOWN)
    alone = _alone(said, fitted, banded, known, judged)
    together = _together(said, alone, known, judged)
    sure = together[votes.tasks, votes.labels]
    heard = np.bincount(votes.authors, minlength=votes.author_count)
    right = np.bincount(votes.authors, weights=sure, minlength=votes.author_count)
    reliability = np.where(heard > 0, right / np.maximum(heard, 1), np.nan)
    return Joint(alone, together, reliability)


def _together(said: Said, alone: Floats, known: Ints, judged: Flags) -> Floats:
    """What specialists say, on top of what models do.

    Models err together, so their agreement with each other must not speak against a specialist:
    specialists are learnt with the models' calibrated word as one piece of evidence.
    """
    humans = said.by_humans
    together = alone.copy()
    places = np.flatnonzero(judged)
    if not len(places):
        return together
    number = np.zeros(len(judged), dtype=np.int32)
    number[places] = np.arange(len(places))
    authors, columns = np.unique(said.votes.authors[humans], return_inverse=True)
    votes = Labels(
        number[said.votes.tasks[humans]],
        columns.astype(np.int32),
        said.votes.labels[humans],
        len(places),
        len(authors),
        said.votes.label_count,
    )
    # The chances of the classes are in what models say already, and are learnt here once more.
    told = np.log(alone[places] + _LEAST) - np.log(alone[places].mean(axis=0) + _LEAST)
    if len(places) < JUDGED_MIN:  # Models that nobody bore out do not speak against anybody.
        told = np.zeros_like(told)
    crowd = Votes(votes, known[places], told)
    model = DawidSkene(said.votes.label_count)
    fitted = posterior(crowd, model, _fit(crowd, model))
    # Where each item has one specialist, nothing shows that they err, and they do.
    together[places] = (1 - SLIP) * fitted + SLIP * alone[places]
    is_known = known != UNKNOWN
    together[is_known] = np.eye(said.votes.label_count)[known[is_known]]
    return together


def _fit(votes: Votes, model: DawidSkene) -> Outcome:
    return maximise(votes, model, votes.shares(), iterations=50, tolerance=1e-5)


def _banded(said: Said) -> tuple[Ints, Ints]:
    """Authors by the band of what they state, and whose each of these is."""
    bands = len(BANDS) + 1
    band = np.where(
        np.isfinite(said.stated) & ~said.by_humans,
        np.searchsorted(BANDS, np.nan_to_num(said.stated), side="right"),
        0,
    )
    keys, authors = np.unique(said.votes.authors * bands + band, return_inverse=True)
    return authors.astype(np.int32), (keys // bands).astype(np.int32)


def _alone(said: Said, fitted: Outcome, banded: Labels, known: Ints, judged: Flags) -> Floats:
    """What models say, set right by what specialists and gold say of the same items."""
    models = ~said.by_humans
    shape = (banded.task_count, banded.label_count)
    spoken = np.bincount(banded.tasks[models], minlength=shape[0]) > 0
    if int((judged & spoken).sum()) < JUDGED_MIN:
        stated = np.isfinite(said.stated[models]).any()
        if stated or not _several(said):
            return _as_stated(said, shape)
    alone = _normal(fitted.log_shares + _evidence(fitted, banded, models, shape))
    alone[~spoken] = 1 / shape[1]
    truth = np.where(spoken, _judged_label(said, known), UNKNOWN).astype(np.int32)
    if int((truth != UNKNOWN).sum()) < JUDGED_MIN:
        return alone
    weights = np.ones(shape[0]) if said.weights is None else said.weights
    return calibrated(_borne_out(said, banded, alone, truth, weights), truth)


def _borne_out(said: Said, banded: Labels, alone: Floats, truth: Ints, weights: Floats) -> Floats:
    """What models say where their agreement alone would mislead: they err together, so a
    regression on what specialists say of the same items takes over as far as it foretells better.

    Items are dealt into folds, and each is foretold from the truths of the other folds, whether or
    not it was judged itself (cross-fitting, Zrnic and Candès 2024): were only the judged ones
    foretold without their own truth, the order by confidence would tell them apart. What was sent
    because it looked doubtful is no sample of the rest, so each loss counts by its weight, and the
    regression must be better by half a standard error (after Breiman et al. 1984, who ask one).
    """
    models = ~said.by_humans
    votes = Labels(
        banded.tasks[models],
        banded.authors[models],
        banded.labels[models],
        banded.task_count,
        banded.author_count,
        banded.label_count,
    )
    crowd, kept = Votes(votes), _thinned(truth)
    folds = np.arange(len(truth)) % FOLDS
    foretold = np.empty_like(alone)
    for fold in range(FOLDS):
        learnt = stack(crowd, np.where(folds == fold, UNKNOWN, kept).astype(np.int32))
        if learnt is None:
            return alone
        foretold[folds == fold] = learnt.posterior[folds == fold]
    known = np.flatnonzero(truth != UNKNOWN)
    right = truth[known]

    before = -np.log(alone[known, right] + _LEAST)

    def better(share: float) -> float:
        mixed = share * foretold[known, right] + (1 - share) * alone[known, right]
        return _surely(before + np.log(mixed + _LEAST), weights[known])

    share = max(_SHARES, key=better)
    mixed = share * foretold + (1 - share) * alone
    spoken = np.bincount(votes.tasks, minlength=votes.task_count) > 0
    return np.where(spoken[:, None], mixed, alone)


def _surely(gain: Floats, weights: Floats) -> float:
    """A weighted mean less half its standard error."""
    total = float(weights.sum())
    middle = float(weights @ gain) / total
    return middle - float(np.sqrt(weights**2 @ (gain - middle) ** 2)) / total / 2


def _thinned(truth: Ints) -> Ints:
    """As many known truths as the regression's memory allows, spread over all of them."""
    known = np.flatnonzero(truth != UNKNOWN)
    most = max(JUDGED_MIN, STACKED_CELLS_MAX // len(truth))
    kept = np.full(len(truth), UNKNOWN, dtype=np.int32)
    chosen = known[np.linspace(0, len(known) - 1, min(most, len(known))).astype(np.int64)]
    kept[chosen] = truth[chosen]
    return kept


def _several(said: Said) -> bool:
    return int((~said.is_human).sum()) > 1


def _as_stated(said: Said, shape: tuple[int, int]) -> Floats:
    """The mean of what models state (a linear pool, Stone 1961): two that agree are no surer than
    each, since models err together, and two that differ are unsure."""
    models = ~said.by_humans
    tasks, labels = said.votes.tasks[models], said.votes.labels[models]
    sure = np.where(np.isfinite(said.stated[models]), said.stated[models], UNSTATED)
    others = (1 - sure) / max(1, shape[1] - 1)
    pool = np.bincount(
        tasks * shape[1] + labels, weights=sure - others, minlength=shape[0] * shape[1]
    )
    pool = pool.reshape(shape) + np.bincount(tasks, weights=others, minlength=shape[0])[:, None]
    heard = pool.sum(axis=1, keepdims=True)
    return np.where(heard > 0, pool / np.maximum(heard, _LEAST), 1 / shape[1])


def _evidence(fitted: Outcome, banded: Labels, mask: Flags, shape: tuple[int, int]) -> Floats:
    """The logarithm of how likely the votes are that `mask` picks, for each truth."""
    # Rows of the table are an author's labels, its columns the truths.
    chances = fitted.table.reshape(-1, *shape[1:], shape[1]).astype(np.float64)
    authors, labels, tasks = banded.authors[mask], banded.labels[mask], banded.tasks[mask]
    found = np.empty(shape)
    for truth in range(shape[1]):
        found[:, truth] = np.bincount(
            tasks, weights=chances[authors, labels, truth], minlength=shape[0]
        )
    return found


def _judged_label(said: Said, known: Ints) -> Ints:
    """What most specialists say of each task, or gold; UNKNOWN where neither speaks.

    They count by heads: a fit in which poor models are many may take them for the ones who err.
    """
    humans = said.by_humans
    shape = (said.votes.task_count, said.votes.label_count)
    cells = said.votes.tasks[humans].astype(np.int64) * shape[1] + said.votes.labels[humans]
    counted = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    voted = np.where(counted.any(axis=1), counted.argmax(axis=1), UNKNOWN)
    return np.where(known != UNKNOWN, known, voted).astype(np.int32)


def calibrated(posterior: Floats, truth: Ints) -> Floats:
    """Chances set right by one temperature and one smoothing, those that make what is known of
    some tasks most likely; truth: UNKNOWN elsewhere."""
    known = truth != UNKNOWN
    logs, right = np.log(posterior[known] + _LEAST), truth[known]
    best, losses = (1.0, 0.0), np.inf
    for temperature in _TEMPERATURES:
        hit = _normal(logs * temperature)[np.arange(len(right)), right]
        for smoothing in _SMOOTHINGS:
            loss = -np.log((1 - smoothing) * hit + smoothing / posterior.shape[1] + _LEAST).mean()
            if loss < losses:
                best, losses = (float(temperature), float(smoothing)), float(loss)
    temperature, smoothing = best
    tempered = _normal(np.log(posterior + _LEAST) * temperature)
    return np.asarray((1 - smoothing) * tempered + smoothing / posterior.shape[1])


def _normal(logs: Floats) -> Floats:
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))
