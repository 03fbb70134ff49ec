"""From judgements to votes, for every type of task."""

from __future__ import annotations

import pytest

from marketplace.quality.rules.ballots import ABSENT, AuthorKind, Scheme, labels_of
from marketplace.quality.rules.believing import Known, Vote, believed
from marketplace.tasktypes import TASK_TYPES
from tests.tasktypes.examples import EXAMPLES

WORDS_ONLY = {"demonstration"}


@pytest.mark.parametrize("key", TASK_TYPES)
def test_each_type_offers_votes_whose_labels_its_scale_names(key: str) -> None:
    example = EXAMPLES[key]
    scheme = Scheme(TASK_TYPES[key], example.template)

    first, second = scheme.ballots([example.judgement, example.judgement])

    assert first == second
    assert (not first) == (key in WORDS_ONLY)
    for unit, label in first.items():
        values = scheme.values(scheme.question(unit))
        assert values is None or label in values
        assert scheme.shown(unit, [label])


def test_marks_in_nearly_one_place_are_one_unit_and_silence_is_a_vote() -> None:
    example = EXAMPLES["spans"]
    scheme = Scheme(TASK_TYPES["spans"], example.template)
    nothing = {**example.judgement, "spans": [], "relations": [], "cats": []}

    given = scheme.ballots([example.judgement, example.judgement, nothing])

    marked = [unit for unit in given[0] if unit.startswith("spans.")]
    assert len(example.judgement["spans"]) == len(marked)
    assert {ABSENT} == {given[2][unit] for unit in marked}
    votes = [
        Vote(AuthorKind.HUMAN, str(at), each)
        for at, each in enumerate([example.judgement, example.judgement, nothing])
    ]
    beliefs, _ = believed(scheme, votes, Known())
    labels = {belief.unit: belief.labels[belief.best] for belief in beliefs}
    assert all(labels[unit] == given[0][unit] for unit in marked)


def test_too_many_labels_are_words() -> None:
    scheme = Scheme(TASK_TYPES["pairwise"], EXAMPLES["pairwise"].template)

    assert ["a", "b", "tie", "both_bad", "x"] == labels_of(scheme, "choice", {"x": 1, "a": 2})
    assert labels_of(scheme, "choice", {str(n): 1 for n in range(60)}) is None
