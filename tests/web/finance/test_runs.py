"""Payout runs on pages: prepared, approved, released, cancelled, and by whom."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Role
from marketplace.payouts.models import PayeeAccount, PayoutRun
from marketplace.payouts.rules import LineState, RunState
from tests.make import payouts as make
from tests.make.billing import Stripe
from tests.make.ledger import usd
from tests.web.finance.conftest import Desk, Hire
from tests.web.pages import checked, text_of

CANCEL = "Cancel the run"


def prepared(desk: Desk) -> PayoutRun:
    """The run that the preparer made through the pages."""
    answer = desk.browser.post("/finance/payout-runs", {"currency": "USD", "minimum": "10"})
    assert 303 == answer.status_code, answer.text
    with transaction() as session:
        return session.get_one(PayoutRun, answer.location.rpartition("/")[2])


def path_of(run: PayoutRun, deed: str = "") -> str:
    return f"/finance/payout-runs/{run.id}" + (f"/{deed}" if deed else "")


def approval(desk: Desk, run: PayoutRun) -> dict[str, object]:
    return {"content_sha256": run.content_sha256, "code": desk.code()}


def test_the_preview_says_who_is_in_and_who_is_not(
    stripe: Stripe, session: Session, preparer: Desk
) -> None:
    for minor in (90_00, 40_00, 15_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    make.a_specialist_to_pay(stripe, usd(30_00), ready=False)

    page = text_of(checked(preparer.browser.get("/finance/payout-runs/new?minimum=20")))

    assert "2 specialists would get $130.00 together." in page
    assert "Has not finished Stripe's form." in page
    assert "$15.00" not in page


def test_a_run_goes_from_two_people_to_stripe(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    for minor in (90_00, 40_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    stripe.fund(usd(1_000_00))

    run = prepared(preparer)
    assert "so somebody else must approve it" in checked(preparer.browser.get(path_of(run)))
    waiting = checked(approver.browser.get(path_of(run)))
    assert f'value="{run.content_sha256}"' in waiting
    assert CANCEL not in waiting
    signed = approver.browser.post(path_of(run, "approve"), approval(approver, run))
    assert 303 == signed.status_code, signed.text
    assert "can release it" in text_of(checked(approver.browser.get(path_of(run))))
    assert 303 == preparer.browser.post(path_of(run, "release")).status_code
    moving = checked(preparer.browser.get(path_of(run)))
    assert 'hx-trigger="every 2s"' in moving
    make.send(*make.lines_of(run))

    done = checked(preparer.browser.get(path_of(run)))
    assert "All 2 lines sent, $130.00." in text_of(done)
    assert "hx-trigger" not in done
    (first, _) = make.lines_of(run)
    assert first.transfer_id is not None
    assert first.transfer_id in done
    checked(preparer.browser.get(path_of(run) + "?state=transferred"))


def test_htmx_gets_only_what_moves(stripe: Stripe, session: Session, preparer: Desk) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)

    part = preparer.browser.get(path_of(run), **{"HX-Request": "true", "HX-Target": "live"}).text

    assert part.lstrip().startswith('<div id="live"')
    assert part.rstrip().endswith("</div>")
    assert "<h1" not in part


def test_a_bad_code_keeps_the_page(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)

    wrong: dict[str, object] = {"content_sha256": run.content_sha256, "code": "000000"}
    answer = approver.browser.post(path_of(run, "approve"), wrong)
    empty = approver.browser.post(path_of(run, "approve"), {**wrong, "code": ""})

    page = checked(answer, 422)
    assert "Wait for the next code in your app" in page
    assert "000000" not in page
    assert run.reference in page
    checked(empty, 422)
    assert RunState.DRAFT is make.run_now(run).state


def test_other_content_than_was_seen_is_not_approved(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)

    seen: dict[str, object] = {"content_sha256": "0" * 64, "code": approver.code()}
    page = text_of(checked(approver.browser.post(path_of(run, "approve"), seen), 409))

    assert "The run has changed since you looked at it." in page
    assert RunState.DRAFT is make.run_now(run).state


def test_without_a_second_factor_the_page_says_where_to_get_one(
    stripe: Stripe, session: Session, preparer: Desk, hire: Hire
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)
    bare = hire(Role.APPROVER, factor=False)

    page = checked(bare.browser.get(path_of(run)))

    assert 'href="/account/second-factor"' in page
    assert 'name="code"' not in page


def test_a_preparer_who_may_approve_cannot_approve_the_own_run(
    stripe: Stripe, session: Session, hire: Hire
) -> None:
    both = hire(Role.PREPARER, Role.APPROVER)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(both)

    page = checked(both.browser.get(path_of(run)))
    answer = both.browser.post(path_of(run, "approve"), approval(both, run))

    assert "so somebody else must approve it" in page
    assert 'name="code"' not in page
    assert (403, RunState.DRAFT) == (answer.status_code, make.run_now(run).state)


def test_a_changed_run_says_that_its_approval_is_void(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    for minor in (90_00, 40_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    run = prepared(preparer)
    approver.browser.post(path_of(run, "approve"), approval(approver, run))
    (small, _) = make.lines_of(run)
    assert "approval is void" not in text_of(checked(preparer.browser.get(path_of(run))))

    cancelled = preparer.browser.post(path_of(run, f"lines/{small.id}/cancel"))

    assert 303 == cancelled.status_code, cancelled.text
    page = text_of(checked(approver.browser.get(path_of(run))))
    assert "The approval is void. Abe Approver approved this run" in page
    assert "Nobody yet" in page
    assert LineState.CANCELLED is make.line_now(small).state


def test_a_changed_payee_is_marked(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    payee = make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)
    with transaction() as tx:
        tx.get_one(PayeeAccount, payee).version += 1

    page = text_of(checked(approver.browser.get(path_of(run))))

    assert "1 payee has changed since the run was prepared." in page
    assert "payee changed" in page


def test_a_paused_run_tells_the_gap_and_is_resumed(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)
    approver.browser.post(path_of(run, "approve"), approval(approver, run))
    approver.browser.post(path_of(run, "release"))
    make.send(*make.lines_of(run))

    page = text_of(checked(approver.browser.get(path_of(run))))
    assert "Sending is paused: $90.00 is missing at Stripe." in page
    assert "Paused: money is missing" in checked(approver.browser.get("/finance"))
    stripe.fund(usd(500_00))
    assert 303 == preparer.browser.post(path_of(run, "resume")).status_code
    make.send(*make.lines_of(run))
    assert RunState.SENT is make.run_now(run).state


def test_what_cannot_be_done_now_is_said_on_the_runs_own_page(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)
    assert 303 == preparer.browser.post(path_of(run, "cancel")).status_code

    for deed in ("release", "cancel", "resume"):
        page = text_of(checked(preparer.browser.post(path_of(run, deed)), 409))
        assert "Nothing was done." in page
    assert "Cancelled; nothing was sent" in checked(preparer.browser.get(path_of(run)))


def test_preparing_nothing_says_so(stripe: Stripe, session: Session, preparer: Desk) -> None:
    nobody = preparer.browser.post("/finance/payout-runs", {"currency": "USD", "minimum": "10"})
    words = preparer.browser.post("/finance/payout-runs", {"currency": "USD", "minimum": "ten"})
    nothing = preparer.browser.post("/finance/payout-runs", {"currency": "USD", "minimum": "0"})
    other = preparer.browser.post("/finance/payout-runs", {"currency": "XXX", "minimum": "1"})

    assert "No run was made." in checked(nobody, 409)
    assert "Write an amount such as" in checked(words, 422)
    assert "Write an amount above zero." in checked(nothing, 422)
    assert "Choose a currency." in checked(other, 422)
    for query in ("minimum=ten", "currency=XXX", "currency=JPY&minimum=1.5"):
        checked(preparer.browser.get(f"/finance/payout-runs/new?{query}"), 422)


def test_a_line_leads_to_its_run(stripe: Stripe, session: Session, preparer: Desk) -> None:
    for minor in (90_00, 40_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    run = prepared(preparer)
    for line in make.lines_of(run):
        led = preparer.browser.get(f"/finance/payout-lines/{line.id}")
        path, _, anchor = led.location.partition("#")
        assert f'id="{anchor}"' in checked(preparer.browser.get(path))


DEEDS = ("approve", "release", "pause", "resume", "cancel")
MAY: dict[Role, set[str]] = {
    Role.PREPARER: {"prepare", "release", "pause", "resume", "cancel"},
    Role.APPROVER: {"approve", "release", "pause", "resume"},
    Role.RECONCILER: set(),
    Role.AUDITOR: set(),
}


@pytest.mark.parametrize("role", list(MAY))
def test_each_role_does_only_its_part(
    stripe: Stripe, session: Session, hire: Hire, preparer: Desk, role: Role
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)
    line = make.lines_of(run)[0]
    desk = hire(role, factor=False)
    posts = {deed: path_of(run, deed) for deed in DEEDS}
    posts |= {"prepare": "/finance/payout-runs", "line": path_of(run, f"lines/{line.id}/cancel")}

    refused = {name for name, path in posts.items() if desk.browser.post(path).status_code == 403}

    allowed = MAY[role] | ({"line"} if "cancel" in MAY[role] else set())
    assert set(posts) - allowed == refused


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RECONCILER])
def test_who_only_looks_sees_no_button(
    stripe: Stripe, session: Session, hire: Hire, preparer: Desk, role: Role
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = prepared(preparer)
    desk = hire(role, factor=False)

    for path in ("/finance", "/finance/payout-runs", path_of(run)):
        page = checked(desk.browser.get(path))
        forms = [part.split('"')[0] for part in page.split('<form method="post" action="')[1:]]
        assert ["/sign-out"] == forms
        assert "Prepare a run" not in page


def test_runs_are_listed_by_state_newest_first(
    stripe: Stripe, session: Session, preparer: Desk
) -> None:
    runs = []
    for _ in range(3):
        make.a_specialist_to_pay(stripe, usd(90_00))
        runs.append(prepared(preparer))
    preparer.browser.post(path_of(runs[0], "cancel"))

    drafts = checked(preparer.browser.get("/finance/payout-runs?state=draft"))
    cancelled = checked(preparer.browser.get("/finance/payout-runs?state=cancelled"))

    assert drafts.index(runs[2].reference) < drafts.index(runs[1].reference)
    assert runs[0].reference not in drafts
    assert runs[0].reference in cancelled
    assert "No run is in this state" in checked(
        preparer.browser.get("/finance/payout-runs?state=sent")
    )
    older = checked(preparer.browser.get(f"/finance/payout-runs?after={runs[1].id}"))
    assert runs[0].reference in older
    assert runs[1].reference not in older
