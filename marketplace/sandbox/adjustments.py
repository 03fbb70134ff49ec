"""What Stripe does to a balance by itself: fees, reserves, debits, and lines of any type."""

from __future__ import annotations

from marketplace.sandbox import balance, events
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Body, Tx


def post_line(
    tx: Tx, kind: str, amount: int, currency: str, *, fee: int = 0, description: str | None = None
) -> str:
    """A balance transaction of any type, known or not; its id.

    A `stripe_fee` is Stripe's own charge; a type that nobody has heard of is what an importer
    has to survive.
    """
    if not kind or not kind.replace("_", "").isalnum():
        raise ApiError("type must be made of letters, digits and underscores.", param="type")
    if fee < 0:
        raise ApiError("fee must not be negative.", param="fee")
    details = [balance.fee_detail(fee, known(currency))] if fee else []
    moved = balance.Movement(kind, amount, known(currency), None, tx.now, description, fee, details)
    # The platform's balance is locked first, always: two movements never wait for each other.
    balance.lock_available(tx.acting_for(""), moved.currency)
    return balance.move(tx, moved)


def debit(tx: Tx, amount: int, currency: str, description: str) -> str:
    """Take money off a balance, below zero if need be, as a chargeback of an account's own would.

    What a connected account owes is set aside from the platform's balance.
    """
    return post_line(tx, "adjustment", -amount, currency, description=description)


def hold_reserve(tx: Tx, amount: int, currency: str) -> str:
    """Stripe sets money aside for its own risk; the id of the hold."""
    hold = tx.insert(
        {
            "id": tx.new_id("rsvh_"),
            "object": "reserve.hold",
            "amount": amount,
            "created": tx.now,
            "created_by": "stripe",
            "currency": known(currency),
            "is_releasable": None,
            "livemode": False,
            "metadata": {},
            "reason": "standalone",
            "release_schedule": {"release_after": None, "scheduled_release": None},
            "reserve_plan": None,
            "source_charge": None,
            "source_type": "card",
            "_open": True,
        }
    )
    _set_aside(tx, "reserve_hold", -amount, hold)
    events.announce(tx, "reserve.hold.created", hold)
    return str(hold["id"])


def release_reserve(tx: Tx, hold_id: str) -> str:
    """Stripe lets a hold go; the id of the release."""
    hold = tx.need("reserve.hold", hold_id, lock=True)
    if not hold["_open"]:
        raise ApiError("This hold has been released already.")
    hold["_open"] = False
    tx.save(hold)
    release = tx.insert(
        {
            "id": tx.new_id("rsvr_"),
            "object": "reserve.release",
            "amount": hold["amount"],
            "created": tx.now,
            "created_by": "stripe",
            "currency": hold["currency"],
            "livemode": False,
            "metadata": {},
            "reason": "bulk_hold_expiry",
            "released_at": tx.now,
            "reserve_hold": hold_id,
            "reserve_plan": None,
            "source_charge": None,
        }
    )
    _set_aside(tx, "reserve_release", hold["amount"], release)
    events.announce(tx, "reserve.release.created", release)
    return str(release["id"])


def _set_aside(tx: Tx, kind: str, amount: int, source: Body) -> None:
    balance.move(tx, balance.Movement(kind, amount, source["currency"], str(source["id"]), tx.now))
