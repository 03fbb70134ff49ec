"""Which judgement stands for an item under the policy `model`."""

from __future__ import annotations

from uuid import UUID

import pytest

from marketplace.delivery.rules import Believed, Labelling
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.believing import Estimate
from marketplace.tasktypes import TASK_TYPES, Json
from tests.tasktypes.examples import EXAMPLES, record

ITEM = UUID(int=1)
CLARITY = "ratings.clarity"


def rated(clarity: int) -> Json:
    return {"ratings": {"clarity": {"score": clarity}, "dosing": {"na": True}}}


def chosen(kind: str, believed: dict[str, Believed], *judgements: Json) -> Json:
    """The judgement that is told of an item."""
    scheme = Scheme(TASK_TYPES[kind], EXAMPLES[kind].template)
    told = Labelling(scheme, {ITEM: believed}, {}).of(record(kind, *judgements), ITEM)
    assert told is not None
    (given,) = told.judgements
    return given.judgement


@pytest.mark.parametrize(
    ("label", "scores", "nearest"),
    [("4", (1, 5), 5), ("4", (2, 4), 4), ("2", (5, 4), 4), ("3", (5, 1), 5)],
)
def test_of_scores_the_nearest_is_told(label: str, scores: tuple[int, int], nearest: int) -> None:
    believed = {CLARITY: Believed(label, 0.9, 2, 0)}

    found = chosen("rubric", believed, *map(rated, scores))

    assert nearest == found["ratings"]["clarity"]["score"]


def test_a_score_is_near_to_what_was_estimated_not_only_to_its_label() -> None:
    estimate = Estimate(3.6, 3.0, 4.2)

    found = chosen("rubric", {CLARITY: Believed("4", 0.9, 2, 0, estimate)}, rated(2), rated(5))

    assert 5 == found["ratings"]["clarity"]["score"]


def test_what_does_not_apply_is_near_to_no_score() -> None:
    dosing = {"ratings.dosing": Believed("0", 0.9, 2, 0)}
    apart = {"ratings": {"clarity": {"score": 4}, "dosing": {"na": True}}}
    far = {"ratings": {"clarity": {"score": 4}, "dosing": {"score": 1}}}

    assert far == chosen("rubric", dosing, apart, far)


def test_a_name_is_near_to_itself_alone() -> None:
    believed = {"choice": Believed("tie", 0.9, 2, 0)}
    judgements = [{"choice": "a", "strength": 1}, {"choice": "b", "strength": 1}]

    assert judgements[0] == chosen("pairwise", believed, *judgements)
