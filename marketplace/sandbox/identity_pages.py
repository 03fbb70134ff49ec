"""The page where a person would show a document; here they choose what it says."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, redirect, request

from marketplace.sandbox import identity
from marketplace.sandbox.pages import Page, fault_page, page
from marketplace.sandbox.store import Body, Store
from marketplace.sandbox.worker import Worker

WORDS = {
    "verified": ("Everything is in order", "The names above are those on the document."),
    "name_differs": ("The document is that of somebody else", "It says “Somebody Else”."),
    "unreadable": ("The document cannot be read", "Another try is asked for."),
    "expired": ("The document has expired", "Another one is asked for."),
    "processing": ("It takes a while", "It succeeds after an hour on the clock of this sandbox."),
}


def blueprint(store: Store, worker: Worker) -> Blueprint:
    """The page of one sandbox."""
    views = Showing(store, worker)
    routes = Blueprint("identity", __name__)
    address = f"{identity.PAGE}/<token>"
    routes.add_url_rule(address, view_func=views.shown)
    routes.add_url_rule(address, view_func=views.submit, methods=["POST"], endpoint="submit")
    return routes


class Showing:
    """The views."""

    def __init__(self, store: Store, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    def shown(self, token: str) -> Page:
        """The form, or why there is nothing to show."""
        with self._store.transaction() as tx:
            session = identity.by_token(tx, token)
        return fault_page(404) if session is None else _form(session)

    def submit(self, token: str) -> Page:
        """Take what was chosen, and lead back to the product."""
        with self._store.transaction() as tx:
            session = identity.by_token(tx, token)
            if session is None:
                return fault_page(404)
            if session["status"] != "requires_input":
                return _form(session)
            try:
                shown = _written()
            except ValueError as fault:
                return _form(session, fault=str(fault), status=422)
            identity.submit(tx, session, shown, request.form["outcome"])
        self._worker.nudge()
        back = session["_return_url"]
        return redirect(back, code=303) if back else _form(session)


def _written() -> identity.Shown:
    """What the form says; ValueError with the sentence that the person reads."""
    given: dict[str, Any] = {name: value.strip() for name, value in request.form.items()}
    if given.get("outcome") not in identity.OUTCOMES:
        raise ValueError("Choose what the document is like.")
    if not given.get("first_name") or not given.get("last_name"):
        raise ValueError("Write a first and a last name; any will do here.")
    try:
        born, until = (date.fromisoformat(given.get(name, "")) for name in ("born_on", "until"))
    except ValueError:
        raise ValueError("Write both days as 1980-01-31.") from None
    return identity.Shown(
        first_name=given["first_name"][:100],
        last_name=given["last_name"][:100],
        born=(born.year, born.month, born.day),
        country=(given.get("country") or "US").upper()[:2],
        until=(until.year, until.month, until.day),
    )


def _form(session: Body, *, fault: str | None = None, status: int = 200) -> Page:
    return page(
        "identity",
        status=status,
        leads_to=session["_return_url"],
        session=session,
        words=WORDS,
        fault=fault,
        filled=request.form,
    )
