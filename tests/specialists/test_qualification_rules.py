"""Whether and with which form a person may try now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.specialists.rules.qualifications import (
    AttemptState,
    CoolingDown,
    NoFormLeft,
    PastAttempt,
    StillPassed,
    next_form,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def failed(form: int, days_ago: int) -> PastAttempt:
    return PastAttempt(form, AttemptState.SCORED, NOW - days_ago * DAY, False, None)


def passed(form: int, *, expires_in_days: int) -> PastAttempt:
    expires = NOW + expires_in_days * DAY
    return PastAttempt(form, AttemptState.SCORED, NOW - 300 * DAY, True, expires)


def form_after(*past: PastAttempt, forms: int = 3, seed: str = "one") -> int:
    return next_form(past, forms=forms, cooldown_days=14, seed=seed, now=NOW)


def test_each_form_comes_once() -> None:
    first = form_after()
    second = form_after(failed(first, 40))
    third = form_after(failed(first, 40), failed(second, 20))

    assert {1, 2, 3} == {first, second, third}


def test_people_meet_the_forms_in_different_orders() -> None:
    assert {1, 2, 3} == {form_after(seed=str(n)) for n in range(30)}


def test_a_failed_attempt_cools_down() -> None:
    with pytest.raises(CoolingDown) as refused:
        form_after(failed(1, 13))

    assert "24 November 2026 at 12:00 UTC" in refused.value.message
    assert form_after(failed(1, 14)) in {2, 3}


def test_without_a_form_there_is_no_attempt() -> None:
    with pytest.raises(NoFormLeft):
        form_after(failed(1, 40), failed(2, 20), forms=2)


def test_a_pass_may_be_renewed_in_its_last_days_only() -> None:
    with pytest.raises(StillPassed):
        form_after(passed(1, expires_in_days=31))

    assert form_after(passed(1, expires_in_days=29)) in {2, 3}
    assert form_after(passed(1, expires_in_days=-1)) in {2, 3}


def test_a_void_attempt_holds_nobody_back_but_uses_its_form() -> None:
    void = PastAttempt(2, AttemptState.VOID, NOW - DAY, None, None)

    assert form_after(void, forms=2) == 1
