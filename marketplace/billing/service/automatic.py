"""Automatic top-ups: what a lab wants, the card that pays, and each charge counted in its month.

The row of the wish is locked while a charge is made ready, and an index of the database lets one
top-up of a lab and currency be on its way, so that a limit is never passed by two at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.billing.models import AutomaticTopUp, TopUp
from marketplace.billing.rules import Checkout, TopUpState, next_look
from marketplace.billing.rules import automatic as rules
from marketplace.billing.rules.automatic import AutomaticState, ChargeWish, Origin, SavedCard
from marketplace.billing.service import letters
from marketplace.billing.service.customers import customer_of_lab
from marketplace.billing.service.top_ups import locked, move, post_settlement
from marketplace.errors import Conflict, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import queries as ledger_queries
from marketplace.money import Money

CHARGE = "billing.charge_card"
LOOK_EVERY = timedelta(seconds=60)
# What neither came nor will come of a month's top-ups counts for nothing.
GONE = (TopUpState.FAILED, TopUpState.EXPIRED)
UNDER_WAY = (TopUpState.REQUESTED, TopUpState.SETTLING, TopUpState.CLEARING)
NEVER_TAKEN = "Stripe could not be reached in time. No money was taken."
SETUP_ENDED = "The page to save a card was closed or ran out. Nothing was saved; start again."


def set_automatic(
    session: Session, actor: Actor, *, threshold: Money, amount: Money, month_max: Money
) -> AutomaticTopUp:
    """Wish that the balance fills itself; with a saved card it is on at once.

    Raises Faulty unless the amounts make sense together, Denied without the right.
    """
    actor.require(Permission.SPENDING_LIMIT)
    rules.checked(threshold, amount, month_max)
    lab = OrganisationId(actor.organisation())
    row = _locked(session, lab, amount.currency)
    if row is None:
        row = AutomaticTopUp(
            organisation_id=lab,
            currency=amount.currency,
            state=AutomaticState.OFF,
            card_label="",
            setup_number=0,
        )
        session.add(row)
    row.threshold_minor, row.amount_minor = threshold.minor, amount.minor
    row.month_max_minor, row.note = month_max.minor, ""
    row.set_by, row.set_at, row.next_look_at = actor.person(), clock.now(), clock.now()
    session.flush()  # A first wish begins as off.
    if row.payment_method_id is not None and row.state is AutomaticState.OFF:
        row.state = AutomaticState.ON
    session.flush()
    audit.record(
        session, actor, "set automatic top-ups", lab, threshold=threshold.minor,
        amount=amount.minor, month_max=month_max.minor, currency=amount.currency,
    )  # fmt: skip
    return row


def turn_off(session: Session, actor: Actor, currency: str, *, forget: bool = False) -> None:
    """Stop automatic top-ups; one that is on its way still arrives. forget: the card as well."""
    actor.require(Permission.SPENDING_LIMIT)
    row = _locked(session, OrganisationId(actor.organisation()), currency)
    if row is None:
        raise Missing("There are no automatic top-ups in this currency.")
    _set_state(session, row, AutomaticState.OFF)
    row.note = ""
    if forget:
        row.payment_method_id, row.card_label = None, ""
    audit.record(session, actor, "turned automatic top-ups off", row.organisation_id)


def begin_setup(session: Session, actor: Actor, currency: str) -> AutomaticTopUp:
    """A card is to be saved, also instead of another; the caller opens its page after the commit.

    The wish counts its pages, so that each has an idempotency key of its own.
    """
    actor.require(Permission.SPENDING_LIMIT)
    row = _locked(session, OrganisationId(actor.organisation()), currency)
    if row is None:
        raise Conflict("Say first when and how much to top up.")
    _set_state(session, row, AutomaticState.SETTING_UP)
    row.setup_number += 1
    row.setup_session_id, row.setup_url = None, None
    row.set_by, row.next_look_at = actor.person(), clock.now() + LOOK_EVERY
    session.flush()
    return row


def record_setup_page(
    session: Session, lab: OrganisationId, currency: str, number: int, page: tuple[str, str]
) -> None:
    """Keep the page on which a card is saved, unless another was opened since."""
    row = _locked(session, lab, currency)
    if row is not None and row.setup_number == number:
        row.setup_session_id, row.setup_url = page


def record_card(
    session: Session, lab: OrganisationId, currency: str, card: SavedCard | None, *, open_: bool
) -> None:
    """Take over what became of the page: the card turns automatic top-ups on.

    open_: whether the page may still be used; where it may not and no card came, they are off, or
    on again where an older card is kept.
    """
    row = _locked(session, lab, currency)
    if row is None or row.state is not AutomaticState.SETTING_UP:
        return
    if card is not None:
        row.payment_method_id, row.card_label, row.note = card.payment_method_id, card.label, ""
        row.setup_url = None
        _set_state(session, row, AutomaticState.ON)
        audit.record(session, SYSTEM, "saved a card", lab, label=card.label)
    elif not open_:
        row.setup_url = None
        row.note = SETUP_ENDED
        kept = row.payment_method_id is not None
        _set_state(session, row, AutomaticState.ON if kept else AutomaticState.OFF)


def found_setup(session: Session, setup_session_id: str) -> AutomaticTopUp | None:
    """The wish whose page that is."""
    named = select(AutomaticTopUp).where(AutomaticTopUp.setup_session_id == setup_session_id)
    return session.scalars(named).first()


def make_ready(session: Session, lab: OrganisationId, currency: str) -> TopUp | None:
    """Where a top-up is due, write it down and have it charged; None where none is.

    Counted under the lock of the wish: no month takes more than its limit, and none is made while
    another is on its way.
    """
    row = _locked(session, lab, currency)
    if row is None or row.state is not AutomaticState.ON or _under_way(session, row):
        return None
    available = ledger_queries.lab_balance(session, lab, currency).available
    left = row.month_max - month_spent(session, lab, currency)
    if not rules.due(available, row.threshold, row.amount, left):
        _note_limit(session, row, available, left)
        return None
    now = clock.now()
    top_up = TopUp(
        id=new_id(),
        organisation_id=lab,
        asked_by=row.set_by,
        amount_minor=row.amount_minor,
        currency=currency,
        state=TopUpState.REQUESTED,
        origin=Origin.AUTOMATIC,
        payment_method_id=row.payment_method_id,
        success_url="",
        cancel_url="",
        asked_at=now,
        next_look_at=next_look(now, now),
    )
    session.add(top_up)
    session.flush()  # The index refuses a second one on its way.
    row.note = ""
    audit.record(session, SYSTEM, "made an automatic top-up", top_up.id, amount=top_up.amount_minor)
    outbox.enqueue(session, CHARGE, top_up_id=top_up.id)
    return top_up


def _note_limit(session: Session, row: AutomaticTopUp, available: Money, left: Money) -> None:
    """The month is used up while more is needed: said once on the page and in a letter."""
    words = f"This month’s limit of {row.month_max} does not allow another top-up."  # noqa: RUF001
    if available < row.threshold and left < row.amount and row.note != words:
        row.note = words
        letters.automatic_stopped(session, row.organisation_id, row.amount, words, off=False)


def _under_way(session: Session, row: AutomaticTopUp) -> bool:
    waiting = select(TopUp.id).where(
        TopUp.organisation_id == row.organisation_id,
        TopUp.currency == row.currency,
        TopUp.origin == Origin.AUTOMATIC,
        TopUp.state.in_(UNDER_WAY),
    )
    return session.scalars(waiting.limit(1)).first() is not None


def month_spent(session: Session, lab: OrganisationId, currency: str) -> Money:
    """What automatic top-ups took, or are taking, since the month began in the book's zone."""
    zone = settings.current().book_timezone
    first = rules.month_start(clock.book_day(clock.now(), zone))
    began = datetime.combine(first, time(), ZoneInfo(zone)).astimezone(UTC)
    counted = select(func.coalesce(func.sum(TopUp.amount_minor), 0)).where(
        TopUp.organisation_id == lab,
        TopUp.currency == currency,
        TopUp.origin == Origin.AUTOMATIC,
        TopUp.state.not_in(GONE),
        TopUp.asked_at >= began,
    )
    return Money(int(session.scalar(counted) or 0), currency)


def wish_of(session: Session, top_up_id: UUID) -> ChargeWish | None:
    """What Stripe is asked for, frozen in the top-up's own row; None where it needs no charge."""
    top_up = locked(session, top_up_id)
    if top_up.origin is not Origin.AUTOMATIC or top_up.state is not TopUpState.REQUESTED:
        return None
    customer = customer_of_lab(session, top_up.organisation_id)
    if customer is None or top_up.payment_method_id is None:
        return None
    return ChargeWish(
        top_up.id, top_up.organisation_id, top_up.amount, customer, top_up.payment_method_id
    )


def record_payment(session: Session, top_up_id: UUID, seen: Checkout) -> TopUp:
    """Take over what Stripe says of an automatic payment; posts it once its line is known."""
    top_up = locked(session, top_up_id)
    if top_up.payment_intent_id not in {None, seen.payment_intent_id}:
        return top_up
    top_up.payment_intent_id = seen.payment_intent_id
    if seen.declined:
        return record_decline(session, top_up_id, None)
    move(session, top_up, TopUpState.SETTLING)
    if seen.settlement is not None and top_up.state is TopUpState.SETTLING:
        post_settlement(session, top_up, seen.settlement)
        if top_up.posted_at is not None:
            letters.automatic_came(session, top_up.organisation_id, top_up.amount)
    return top_up


def record_decline(session: Session, top_up_id: UUID, code: str | None) -> TopUp:
    """The card was not charged: automatic top-ups stop, and the lab reads why."""
    top_up = locked(session, top_up_id)
    if top_up.state not in {TopUpState.REQUESTED, TopUpState.SETTLING}:
        return top_up
    words = rules.stopped_words(code)
    top_up.note = words
    move(session, top_up, TopUpState.FAILED)
    row = _locked(session, top_up.organisation_id, top_up.currency)
    if row is not None:
        _set_state(session, row, AutomaticState.OFF)
        row.note = words
    letters.automatic_stopped(session, top_up.organisation_id, top_up.amount, words, off=True)
    return top_up


def record_absence(session: Session, top_up_id: UUID) -> None:
    """Stripe's whole list has no such payment, long after the last try: none was taken."""
    top_up = locked(session, top_up_id)
    if top_up.state is TopUpState.REQUESTED:
        top_up.note = NEVER_TAKEN
        move(session, top_up, TopUpState.EXPIRED)


def setup_page(session: Session, lab: OrganisationId, currency: str) -> str | None:
    """The page on which a card is being saved; None where none was opened."""
    row = session.get(AutomaticTopUp, (lab, currency))
    return row.setup_session_id if row else None


def due_for_a_look(
    session: Session, *, limit: int = 200
) -> list[tuple[OrganisationId, str, AutomaticState]]:
    """Take the wishes whose balance, or whose page, is to be looked at now."""
    now = clock.now()
    due = (
        select(AutomaticTopUp)
        .where(AutomaticTopUp.state != AutomaticState.OFF, AutomaticTopUp.next_look_at <= now)
        .order_by(AutomaticTopUp.next_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(due).all()
    for row in rows:
        row.next_look_at = now + LOOK_EVERY
    return [(row.organisation_id, row.currency, row.state) for row in rows]


def _locked(session: Session, lab: OrganisationId, currency: str) -> AutomaticTopUp | None:
    key = (lab, currency)
    return session.get(AutomaticTopUp, key, with_for_update=True, populate_existing=True)


def _set_state(session: Session, row: AutomaticTopUp, state: AutomaticState) -> None:
    if row.state is not state:
        row.state = state
        session.flush()  # The database checks each step of the lifecycle by itself.
