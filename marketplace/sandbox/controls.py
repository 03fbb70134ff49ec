"""Test controls under /sandbox/control: the clock, accounts, faults, webhooks. JSON in and out.

They ask for the secret key as the API does, so that no page in a browser can reach them.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Request, Response, jsonify, request
from psycopg import sql

from marketplace.sandbox import deliveries, events, faults, onboarding, payouts, state
from marketplace.sandbox.asked import asked, text, whole
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Store
from marketplace.sandbox.worker import Worker, run_due_timers

ADVANCE_SECONDS_MAX = 400 * 86_400


def blueprint(store: Store, authenticate: Callable[[Request], None], worker: Worker) -> Blueprint:
    """The controls of one sandbox."""
    controls = Controls(store, worker)
    routes = Blueprint("controls", __name__, url_prefix="/sandbox/control")
    routes.before_request(lambda: authenticate(request))
    routes.add_url_rule("/clock", view_func=controls.clock)
    routes.add_url_rule("/advance", view_func=controls.advance, methods=["POST"])
    routes.add_url_rule("/settle", view_func=controls.settle, methods=["POST"])
    routes.add_url_rule("/accounts", view_func=controls.account, methods=["POST"])
    routes.add_url_rule("/payouts/fail", view_func=controls.fail_payout, methods=["POST"])
    routes.add_url_rule("/faults", view_func=controls.add_fault, methods=["POST"])
    routes.add_url_rule("/faults", view_func=controls.clear_faults, methods=["DELETE"])
    routes.add_url_rule("/webhooks/release", view_func=controls.release, methods=["POST"])
    routes.add_url_rule("/webhooks/resend", view_func=controls.resend, methods=["POST"])
    routes.add_url_rule("/webhooks/deliveries", view_func=controls.deliveries)
    return routes


class Controls:
    """The controls as views; each answers `{"done": …}` or what was asked for."""

    def __init__(self, store: Store, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    def clock(self) -> Response:
        """GET: the virtual time, in epoch seconds."""
        with self._store.transaction() as tx:
            return jsonify(now=tx.now)

    def advance(self) -> Response:
        """POST {seconds}: move time forward and run what falls due, before answering."""
        seconds = whole(asked(), "seconds", most=ADVANCE_SECONDS_MAX)
        with self._store.transaction() as tx:
            state.move_clock(tx, seconds)
        ran = run_due_timers(self._store)
        self._worker.nudge()
        with self._store.transaction() as tx:
            return jsonify(now=tx.now, timers=ran)

    def settle(self) -> Response:
        """POST {seconds}: how long charges wait for their balance transaction (0: not at all)."""
        seconds = whole(asked(), "seconds", most=ADVANCE_SECONDS_MAX)
        with self._store.transaction() as tx:
            state.set_settle_seconds(tx, seconds)
        return jsonify(done=True)

    def account(self) -> Response:
        """POST {account, action: enable|restrict, reason?, holder?}: what Stripe's review decides.

        holder: whose bank account it is then.
        """
        body = asked()
        account_id, action = text(body, "account"), text(body, "action")
        with self._store.transaction() as tx:
            if action == "enable":
                onboarding.enable(tx, account_id, str(body.get("holder") or ""))
            elif action == "restrict":
                onboarding.restrict(tx, account_id, str(body.get("reason") or "platform_paused"))
            else:
                raise ApiError("action must be enable or restrict.", param="action")
        self._worker.nudge()
        return jsonify(done=True)

    def fail_payout(self) -> Response:
        """POST {payout, account?, code?}: the bank sends a payout back, also when it was paid."""
        body = asked()
        with self._store.transaction(str(body.get("account") or "")) as tx:
            payouts.fail(tx, text(body, "payout"), str(body.get("code") or "account_closed"))
        self._worker.nudge()
        return jsonify(done=True)

    def add_fault(self) -> Response:
        """POST {target, kind, method?, path?, types?, skip?, count?, seconds?, copies?}."""
        body = asked()
        with self._store.transaction() as tx:
            return jsonify(id=faults.add(tx, body))

    def clear_faults(self) -> Response:
        """DELETE: nothing goes wrong any more; held webhooks are let go."""
        with self._store.transaction() as tx:
            tx.run(sql.SQL("DELETE FROM sandbox_faults"))
            deliveries.release_held(tx)
        self._worker.nudge()
        return jsonify(done=True)

    def release(self) -> Response:
        """POST: let held (reordered) webhooks go now, newest first."""
        with self._store.transaction() as tx:
            count = deliveries.release_held(tx)
        self._worker.nudge()
        return jsonify(released=count)

    def resend(self) -> Response:
        """POST {event}: deliver an event once more, as the dashboard's button would."""
        event_id = text(asked(), "event")
        with self._store.transaction() as tx:
            rows = tx.rows(sql.SQL("SELECT body FROM sandbox_events WHERE id = %s"), (event_id,))
            if not rows:
                raise ApiError(f"No such event: '{event_id}'", status=404, param="event")
            deliveries.enqueue(tx, rows[0]["body"])
        self._worker.nudge()
        return jsonify(done=True)

    def deliveries(self) -> Response:
        """GET: the newest 200 deliveries with event, type, state, attempts and outcome."""
        with self._store.transaction() as tx:
            rows = tx.rows(
                sql.SQL(
                    "SELECT d.id, d.event_id, e.type, d.endpoint_id, d.state, d.attempts,"
                    " d.outcome FROM sandbox_deliveries d"
                    " JOIN sandbox_events e ON e.id = d.event_id ORDER BY d.id DESC LIMIT 200"
                )
            )
        return jsonify(deliveries=rows, api_version=events.API_VERSION)
