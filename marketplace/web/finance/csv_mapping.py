"""What the columns of an account's CSV mean: a sample, a guess, a preview, then it is saved."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields, validate
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.reconciliation import service
from marketplace.reconciliation.queries import uploads as queries
from marketplace.reconciliation.rules.delimited import ColumnMapping, DateOrder, Preview, preview
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_uploads

TEMPLATE = "finance/mapping.html"
SAMPLE_BYTES = 24 * 1024
SAMPLE_LINES = 40
COLUMNS = {
    "booked_on": ("Booking date", True),
    "amount": ("Amount, with a sign", False),
    "credit": ("Money in", False),
    "debit": ("Money out", False),
    "sign": ("Which way, as a word", False),
    "balance": ("Running balance", False),
    "value_on": ("Value date", False),
    "currency": ("Currency", False),
    "account": ("Account", False),
    "reference": ("The bank’s reference", False),  # noqa: RUF001 - people read this.
    "end_to_end": ("End-to-end reference", False),
    "counterparty": ("Who paid or was paid", False),
    "counterparty_account": ("Their account", False),
}
ORDERS = {
    DateOrder.YMD: "Year, month, day",
    DateOrder.DMY: "Day, month, year",
    DateOrder.MDY: "Month, day, year",
}
DELIMITERS = ((",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar"))
ENCODINGS = (("utf-8", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16"))


class MappingForm(Form):
    """A mapping as the form sends it."""

    booked_on = fields.String(load_default="")
    amount = fields.String(load_default="")
    credit = fields.String(load_default="")
    debit = fields.String(load_default="")
    sign = fields.String(load_default="")
    debit_words = fields.String(load_default="")
    balance = fields.String(load_default="")
    value_on = fields.String(load_default="")
    currency = fields.String(load_default="")
    account = fields.String(load_default="")
    reference = fields.String(load_default="")
    end_to_end = fields.String(load_default="")
    counterparty = fields.String(load_default="")
    counterparty_account = fields.String(load_default="")
    text = fields.String(load_default="")
    delimiter = fields.String(load_default=",")
    encoding = fields.String(load_default="utf-8")
    decimal_mark = fields.String(load_default=".")
    date_order = fields.String(load_default="ymd")
    skip_lines = fields.Integer(load_default=0, validate=validate.Range(min=0, max=100))
    newest_first = fields.Boolean(load_default=False)


@finance.get("/statement-sources/<uuid:source_id>/mapping")
@needs(Permission.FINANCE_VIEW)
def show_mapping(source_id: UUID) -> str:
    """The mapping in force, and the form that begins a new one."""
    return render_template(TEMPLATE, **_facts(source_id))


def _facts(source_id: UUID, sample: bytes = b"", looked: Preview | None = None) -> dict[str, Any]:
    with transaction() as session:
        source = queries.source_of(session, me(), source_id)
        newest = queries.newest_mapping(session, me(), source_id)
    mapping = dict(newest.mapping) if newest else {}
    for name in ("debit_words", "text"):
        mapping[name] = ", ".join(mapping.get(name) or ())
    return {
        "source": source,
        "newest": newest,
        "mapping": mapping,
        "sample": base64.b64encode(sample).decode(),
        "looked": looked,
        "columns": COLUMNS,
        "orders": [(order.value, words) for order, words in ORDERS.items()],
        "delimiters": DELIMITERS,
        "encodings": ENCODINGS,
    }


@finance.post("/statement-sources/<uuid:source_id>/mapping/sample")
@takes_uploads
@needs(Permission.RECONCILIATION_WORK)
def send_sample(source_id: UUID) -> Response:
    """Show the first rows of a file; nothing is kept of it."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Faulty("There is no file.", [Fault("/file", "Choose a CSV file of the account.")])
        sample = _first_lines(sent.stream.read(SAMPLE_BYTES))
        looked = preview(sample)
    except Faulty as error:
        return refill(TEMPLATE, error, **_facts(source_id))
    facts = _facts(source_id, sample, looked)
    facts["mapping"] = facts["mapping"] | dict(looked.guessed)
    return Response(render_template(TEMPLATE, **facts), mimetype="text/html")


def _first_lines(content: bytes) -> bytes:
    """Whole lines from the beginning; a last one that is cut is left out."""
    lines = content.splitlines(keepends=True)[:SAMPLE_LINES]
    return b"".join(lines if len(content) < SAMPLE_BYTES or len(lines) < 2 else lines[:-1])


@finance.post("/statement-sources/<uuid:source_id>/mapping")
@needs(Permission.RECONCILIATION_WORK)
def save_mapping(source_id: UUID) -> Response:
    """Show how the sample would be read, or save the mapping as a new version."""
    sample = _sent_sample()
    try:
        mapping = _mapping()
        with transaction() as session:
            currency = queries.source_of(session, me(), source_id).currency
        looked = preview(sample, mapping, currency) if sample else None
        if "save" not in request.form or (looked is not None and looked.fault):
            return _shown_again(source_id, sample, mapping, looked)
        with transaction() as session:
            row = service.save_mapping(session, me(), source_id, mapping)
    except Faulty as error:
        facts = _facts(source_id, sample, preview(sample) if sample else None)
        return refill(TEMPLATE, error, **facts)
    flash(
        f"Saved as version {row.version}. Files of this account are read by it from now on.", "good"
    )
    return redirect(url_for("finance.show_mapping", source_id=source_id), code=303)


def _shown_again(
    source_id: UUID, sample: bytes, mapping: ColumnMapping, looked: Preview | None
) -> Response:
    facts = _facts(source_id, sample, looked)
    words = {name: ", ".join(getattr(mapping, name)) for name in ("debit_words", "text")}
    facts["mapping"] = mapping.as_json() | words
    status = 422 if looked is not None and looked.fault else 200
    return Response(render_template(TEMPLATE, **facts), status, mimetype="text/html")


def _sent_sample() -> bytes:
    try:
        return base64.b64decode(request.form.get("sample", ""), validate=True)[:SAMPLE_BYTES]
    except (binascii.Error, ValueError):
        return b""


def _mapping() -> ColumnMapping:
    """The form's mapping; StatementRefused with what it lacks."""
    asked = load(MappingForm)
    for name in ("debit_words", "text"):
        asked[name] = [part.strip() for part in asked[name].split(",") if part.strip()]
    plain = {name: value.strip() if name != "delimiter" and isinstance(value, str) else value
             for name, value in asked.items()}  # fmt: skip
    return ColumnMapping.of(plain)
