"""Webhooks: signed, tried again for three days, given up with a letter, and never lost."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from standardwebhooks import WebhookVerificationError

from marketplace import clock
from marketplace.db import transaction
from marketplace.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from marketplace.delivery.rules import webhooks as rules
from marketplace.delivery.rules.webhooks import DeliveryState, Outcome, StoppedWhy, WebhookState
from marketplace.delivery.service import webhook_queue, webhook_wishes, webhooks
from marketplace.delivery.service.webhook_records import purge_deliveries
from marketplace.errors import Faulty, Missing
from marketplace.mail import Message
from marketplace.worker.courier import Courier
from tests.make import identity
from tests.make import webhooks as make
from tests.make.webhooks import Answer


def only(session: Session, event_id: UUID) -> WebhookDelivery:
    session.expire_all()
    asked = select(WebhookDelivery).where(WebhookDelivery.event_id == event_id)
    return session.scalars(asked).one()


def test_an_event_arrives_signed_and_a_rotated_secret_overlaps(session: Session) -> None:
    lab, other = identity.lab_owner(session), identity.lab_owner(session)
    with make.receiver() as server:
        make.told(session, lab)  # Before there was an endpoint: nobody is told of it.
        hook = make.webhook(session, lab, f"{server.address}/hook", "job.*")
        secret = hook.secret or ""
        event_id = make.told(session, lab, reference="J-1", title="not a documented fact")
        make.told(session, lab, "task.submitted", counted=True)
        make.told(session, other)
        make.carried()

        (got,) = server.got
        content = got.content(secret)
        assert ("/hook", str(event_id), "job.created", 2) == (
            got.path, got.id, content["type"], content["number"],
        )  # fmt: skip
        assert {"reference", "job_id", "subject_id"} == set(content["data"])
        with pytest.raises(WebhookVerificationError):
            got.content("whsec_" + "A" * 43 + "=")

        renewed = webhooks.rotate_secret(session, lab, hook.id).secret or ""
        make.told(session, lab)
        make.carried()
        assert server.got[-1].content(secret) == server.got[-1].content(renewed)
        with clock.shifted(rules.OVERLAP_DEFAULT + timedelta(seconds=1)):
            make.told(session, lab)
            make.carried()
            last = server.got[-1]
        assert " " not in last.headers["webhook-signature"]


def test_what_fails_is_tried_again_under_the_same_id_until_it_is_taken(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        hook = make.webhook(session, lab, server.address)
        server.says = lambda _: Answer(503, {"retry-after": "90"}, b"key whsec_abc\x00 " * 200)
        event_id = make.told(session, lab)
        make.carried()
        waits = only(session, event_id).next_at - clock.now()
        assert timedelta(seconds=80) < waits <= timedelta(seconds=90)
        make.carried()
        assert 1 == len(server.got)

        server.says = lambda _: Answer(200)
        with clock.shifted(timedelta(seconds=95)):
            make.carried()
            assert DeliveryState.DELIVERED is only(session, event_id).state
        assert [str(event_id)] * 2 == server.ids()
        assert server.got[0].body == server.got[1].body
    tries = session.scalars(select(WebhookAttempt).order_by(WebhookAttempt.id)).all()
    assert [(1, Outcome.BROKEN, 503), (2, Outcome.DELIVERED, 200)] == [
        (each.number, each.outcome, each.status) for each in tries
    ]
    kept = tries[0].answer or ""
    assert (True, False, True) == ("whsec_…" in kept, "abc" in kept, len(kept) <= 1024)
    assert 0 == session.get_one(WebhookEndpoint, hook.id).failures


def test_after_the_whole_schedule_it_is_switched_off_with_a_letter(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        hook = make.webhook(session, lab, server.address)
        server.says = lambda _: Answer(500)
        event_id = make.told(session, lab)
        passed = timedelta(0)
        for step in rules.SCHEDULE:
            passed += max(step * (1 + rules.SPREAD), rules.REST_MAX)
            with clock.shifted(passed):
                make.carried()
        made = len(server.got)
        delivery = only(session, event_id)

        server.says = lambda _: Answer()
        hook = session.get_one(WebhookEndpoint, hook.id)
        assert (WebhookState.DISABLED, made) == (hook.state, delivery.attempts)
        assert hook.stopped_why in {StoppedWhy.EXHAUSTED, StoppedWhy.SILENT}
        letters = select(Message.template).where(Message.template == "webhook_disabled")
        assert ["webhook_disabled"] == session.scalars(letters).all()
        missed = make.told(session, lab)
        make.carried()
        assert made == len(server.got)
        webhooks.resume_webhook(session, lab, hook.id, missed=True)
        make.carried()
        assert str(missed) in server.ids()[made:]


def test_gone_means_gone_and_redirects_are_not_followed(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        away = Answer(302, {"location": f"{server.address}/elsewhere"})
        server.says = lambda got: Answer(410) if got.path == "/gone" else away
        gone = make.webhook(session, lab, f"{server.address}/gone")
        moved = make.webhook(session, lab, f"{server.address}/moved")
        make.told(session, lab)
        make.carried()

        paths = sorted(each.path for each in server.got)
    session.expire_all()
    assert ["/gone", "/moved"] == paths
    assert (WebhookState.DISABLED, StoppedWhy.GONE) == (gone.state, gone.stopped_why)
    assert WebhookState.ACTIVE is moved.state
    outcomes = select(WebhookAttempt.outcome).where(WebhookAttempt.endpoint_id == moved.id)
    assert [Outcome.REDIRECTED] == session.scalars(outcomes).all()


def test_what_happened_while_it_was_off_is_sent_or_passed_over(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        hook = make.webhook(session, lab, server.address)
        webhooks.pause_webhook(session, lab, hook.id)
        first = make.told(session, lab)
        make.carried()
        assert [] == server.got
        webhooks.resume_webhook(session, lab, hook.id, missed=True)
        make.carried()
        webhooks.pause_webhook(session, lab, hook.id)
        make.told(session, lab)
        webhooks.resume_webhook(session, lab, hook.id, missed=False)
        last = make.told(session, lab)
        make.carried()
        assert [str(first), str(last)] == server.ids()

        assert 3 == webhook_wishes.replay(session, lab, hook.id, after=0)
        webhook_wishes.redeliver(session, lab, first)
        test = webhook_wishes.send_test(session, lab, hook.id)
        make.carried()
        again = server.ids()[2:]
        assert (5, 2, 1) == (len(again), again.count(str(first)), again.count(str(test.id)))
        webhooks.pause_webhook(session, lab, hook.id)
        with pytest.raises(rules.WebhookStopped):
            webhook_wishes.send_test(session, lab, hook.id)


def test_a_worker_killed_in_the_middle_leaves_it_to_the_next(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        make.webhook(session, lab, server.address)
        event_id = make.told(session, lab)
        webhook_queue.make_deliveries(session)
        (parcel,) = webhook_queue.lease_deliveries(session, webhook_queue.Room(1, 1))
        make.carried()
        assert [] == server.got
        with clock.shifted(webhook_queue.LEASE + timedelta(seconds=1)):
            make.carried()
        assert [str(event_id)] == server.ids()
    assert str(parcel.message_id) == str(event_id)


def test_one_that_never_answers_holds_up_no_other(committed: Engine) -> None:
    with transaction() as session:
        lab = identity.lab_owner(session)
    with make.receiver() as server:
        server.says = lambda got: Answer(204, seconds=1.5 if got.path == "/slow" else 0.0)
        with transaction() as session:
            make.webhook(session, lab, f"{server.address}/slow")
            make.webhook(session, lab, f"{server.address}/quick")
        with transaction() as session:
            ids = [str(make.told(session, lab)) for _ in range(40)]
        courier = Courier()
        courier.start()
        for _ in range(100):
            quick = [each.id for each in server.got if each.path == "/quick"]
            if len(quick) == 40:
                break
            time.sleep(0.02)
        courier.stop()
        slow = [each for each in server.got if each.path == "/slow"]
    assert sorted(ids) == sorted(quick)
    assert 1 <= len(slow) <= rules.AT_ONCE


def test_addresses_kinds_and_strangers_are_refused(session: Session) -> None:
    lab, other = identity.lab_owner(session), identity.lab_owner(session)
    for url in ("http://example.com/x", "ftp://x", "https://a b", "https://u@example.com"):
        with pytest.raises(Faulty):
            make.webhook(session, lab, url)
    with pytest.raises(Faulty) as refused:
        make.webhook(session, lab, "https://example.com", "job.created", "nothing.*")
    assert ["/kinds/1"] == [each.pointer for each in refused.value.faults]
    hook = make.webhook(session, lab, "https://example.com")
    with pytest.raises(Missing):
        webhooks.rotate_secret(session, other, hook.id)
    webhooks.retire_webhook(session, lab, hook.id)
    with pytest.raises(Missing):
        webhooks.resume_webhook(session, lab, hook.id)
    assert (None, None) == (hook.secret, hook.former_secret)


def test_wishes_do_not_pile_up(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = identity.lab_owner(session)
    hook = make.webhook(session, lab, "https://example.com")
    event_id = make.told(session, lab)
    monkeypatch.setattr(rules, "REPLAYED_MAX", 2)
    for _ in range(2):
        webhook_wishes.send_test(session, lab, hook.id)

    with pytest.raises(rules.TooMuchWanted):
        webhook_wishes.send_test(session, lab, hook.id)
    with pytest.raises(rules.TooMuchWanted):
        webhook_wishes.replay(session, lab, hook.id, after=0)
    for only_here in (None, hook.id):
        with pytest.raises(rules.TooMuchWanted):
            webhook_wishes.redeliver(session, lab, event_id, hook_id=only_here)


def test_a_name_that_leads_inside_is_not_called(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        inside = server.address.replace("http://127.0.0.1", "https://localhost")
        hook = make.webhook(session, lab, inside)
        make.told(session, lab)
        make.carried()
        assert [] == server.got
    outcome = select(WebhookAttempt.outcome).where(WebhookAttempt.endpoint_id == hook.id)
    assert [Outcome.ADDRESS_REFUSED] == session.scalars(outcome).all()


def test_old_deliveries_are_purged(session: Session) -> None:
    lab = identity.lab_owner(session)
    with make.receiver() as server:
        make.webhook(session, lab, server.address)
        make.told(session, lab)
        make.carried()
    assert 0 == purge_deliveries(session, before=clock.now() - timedelta(days=rules.KEPT_DAYS))
    assert 1 == purge_deliveries(session, before=clock.now() + timedelta(seconds=1))
    assert [] == session.scalars(select(WebhookAttempt)).all()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), ("-5", None), ("soon", None), (None, None),
     ("Mon, 23 Nov 2026 10:01:00 GMT", 60), ("Mon, 23 Nov 2026 09:00:00 GMT", None)],
)  # fmt: skip
def test_retry_after(header: str | None, seconds: int | None) -> None:
    now = clock.now().replace(2026, 11, 23, 10, 0, 0, 0)
    found = rules.retry_after_of(header, now)

    assert seconds == (None if found is None else found.total_seconds())


def test_the_schedule_covers_three_days() -> None:
    waits = [rules.wait_before(made, 0.0, None) for made in range(11)]

    assert 75 <= sum((each or timedelta(0) for each in waits), timedelta(0)).total_seconds() / 3600
    assert waits[10] is None
    assert timedelta(hours=24) == rules.wait_before(1, 0.5, timedelta(days=9))
    assert rules.rest_after(rules.FAILURES_BORNE - 1) is None
    assert rules.REST_MAX == rules.rest_after(50)
