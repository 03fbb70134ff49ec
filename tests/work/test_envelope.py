"""What stands beside a judgement: what is refused, what is kept, and time in stretches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Faulty
from marketplace.work.rules import Envelope, Interval, IntervalKind, reference_of, spent_of
from marketplace.work.rules.envelope import joined, misplaced
from tests.make import specialists, work

SPAN = {"kind": "span", "field": "a", "start": 0, "end": 3}
GOOD: dict[str, Any] = {
    "rationale_claims": [{"text": "The dose is wrong.", "evidence": [SPAN]}],
    "references": [{"type": "url", "url": "https://example.test/a", "locator": "p. 4"}],
    "flags": ["unsure"],
}


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("references", [{"type": "book", "citation": "x"}], "/references/0"),
        ("references", [{"type": "url", "url": "javascript:alert(1)"}], "/references/0/url"),
        ("references", [{"type": "citation", "citation": "x", "page": "4"}], "/references/0"),
        ("references", ["x"], "/references/0"),
        ("rationale_claims", [{"text": " ", "evidence": []}], "/rationale_claims/0/text"),
        ("rationale_claims", [{"text": "x", "evidence": [{"kind": "dream"}]}],
         "/rationale_claims/0/evidence/0"),
        ("rationale_claims", [{"text": "x", "evidence": [SPAN | {"quote": "x" * 5_000}]}],
         "/rationale_claims/0/evidence/0"),
        ("rationale_claims", [{"text": "x"}] * 21, "/rationale_claims"),
        ("flags", ["tired"], "/flags/0"),
    ],
)  # fmt: skip
def test_what_nobody_could_read_is_refused(
    session: Session, field: str, value: object, pointer: str
) -> None:
    _, job = work.published(session)
    doctor = specialists.doctor(session)
    claim = work.claimed(session, doctor, job)

    with pytest.raises(Faulty) as refused:
        work.submit(session, doctor, claim, work.answer(**{**GOOD, field: value}))

    assert [pointer] == [fault.pointer for fault in refused.value.faults]


def test_the_whole_envelope_is_kept(session: Session) -> None:
    _, job = work.published(session)
    doctor = specialists.doctor(session)
    claim = work.claimed(session, doctor, job)
    begun = claim.claimed_at + timedelta(seconds=1)
    looked_up = Interval(IntervalKind.RESEARCH, begun, begun + timedelta(seconds=40))
    note = Interval(looked_up.kind, begun, looked_up.ended_at, "The label at the agency.")

    with clock.shifted(timedelta(minutes=2)):
        given = work.submit(
            session, doctor, claim, work.answer(**GOOD, intervals=[looked_up], time_notes=[note])
        )

    assert GOOD == {name: getattr(given, name) for name in GOOD}
    assert 40 == given.active_seconds
    assert [("research", "The label at the agency.")] == [
        (each["kind"], each["note"]) for each in given.spent
    ]


def test_an_envelope_without_the_later_parts_keeps_its_hash() -> None:
    bare = Envelope(judgement={"choice": "a"})

    assert bare.sha256() == Envelope(judgement={"choice": "a"}, flags=(), time_notes=()).sha256()
    assert bare.sha256() != Envelope(judgement={"choice": "a"}, flags=["unsure"]).sha256()


def test_reasons_alone_are_a_rationale() -> None:
    assert (
        "One.\n\nTwo."
        == Envelope(judgement={}, rationale_claims=[{"text": "One."}, {"text": "Two."}]).said()
    )


def test_an_address_is_told_from_a_citation() -> None:
    assert {"type": "url", "url": "https://a.test/x"} == reference_of("https://a.test/x")
    assert {"type": "citation", "citation": "NICE NG28", "locator": "1.2"} == reference_of(
        "NICE NG28", locator="1.2"
    )


def test_stretches_that_touch_are_one_and_others_stay_apart() -> None:
    at = clock.now()

    def stretch(kind: IntervalKind, start: int, end: int) -> Interval:
        return Interval(kind, at + timedelta(seconds=start), at + timedelta(seconds=end))

    active, idle = IntervalKind.ACTIVE, IntervalKind.IDLE
    found = joined([stretch(active, 30, 60), stretch(active, 0, 30), stretch(idle, 60, 90),
                    stretch(active, 200, 210)])  # fmt: skip

    assert [(active, 60), (idle, 30), (active, 10)] == [
        (each.kind, (each.ended_at - each.started_at).seconds) for each in found
    ]
    assert [] == [each for each in spent_of(found, []) if "note" in each]


@pytest.mark.parametrize(
    ("start", "end", "pointers"),
    [
        (10, 40, []),
        (-60, 40, []),  # Clocks differ by minutes.
        (40, 10, ["/intervals/0/ended_at"]),
        (40, 40, ["/intervals/0/ended_at"]),
        (-300, 40, ["/intervals/0/started_at"]),
        (10, 100_000, ["/intervals/0/ended_at"]),
        (315_360_000, 0, ["/intervals/0/ended_at"]),
    ],
)
def test_time_that_cannot_have_been_is_pointed_at(
    start: int, end: int, pointers: list[str]
) -> None:
    claimed = clock.now() - timedelta(hours=1)
    sent = Interval(
        IntervalKind.ACTIVE, claimed + timedelta(seconds=start), claimed + timedelta(seconds=end)
    )

    assert pointers == [fault.pointer for fault in misplaced([sent], claimed, clock.now())]
