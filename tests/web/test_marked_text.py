"""Texts cut under their marks: nothing lost, each piece under what lies over it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from marketplace.tasktypes import Json
from marketplace.web.marked_text import Over, marked

TEXT = "In 🏛️ Delhi Court, Naj́mi."


def span(words: str, label: str) -> Json:
    start = TEXT.index(words)
    return {"start": start, "end": start + len(words), "label": label}


def test_marks_that_cross_lie_over_the_piece_that_they_share() -> None:
    found = marked(TEXT, [span("🏛️ Delhi", "SIGN"), span("Delhi Court", "COURT")], ["COURT"])

    assert ["In ", "🏛️ ", "Delhi", " Court", ", Naj́mi."] == [piece.text for piece in found]
    assert [0, 1, 2, 1, 0] == [len(piece.marks) for piece in found]
    court = Over("COURT", 0, begins=True, ends=False)
    assert (Over("SIGN", 1, begins=False, ends=True), court) == found[2].marks


@given(
    st.lists(st.tuples(st.integers(-2, 30), st.integers(-2, 30), st.sampled_from("AB")), max_size=8)
)
def test_no_character_is_lost_or_moved(places: list[tuple[int, int, str]]) -> None:
    spans: list[Json] = [
        {"start": start, "end": end, "label": label} for start, end, label in places
    ]

    found = marked(TEXT, spans)

    assert TEXT == "".join(piece.text for piece in found)
    lying = [each for each in spans if 0 <= each["start"] < each["end"] <= len(TEXT)]
    assert len(lying) == sum(mark.begins for piece in found for mark in piece.marks)
    assert len(lying) == sum(mark.ends for piece in found for mark in piece.marks)
