"""Reports: types, runs that finish a moment later, and their CSV files.

Columns and names are those that Stripe documents for the default reports; amounts in the files
are in whole units with the currency's decimal places.
"""

from __future__ import annotations

from marketplace.sandbox import events, report_rows
from marketplace.sandbox.errors import ApiError, no_such
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.report_rows import TYPES, Wish
from marketplace.sandbox.routing import Raw, Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/reporting/report_runs"
TYPES_URL = "/v1/reporting/report_types"
FILES_URL = "/v1/files"
TIMER = "report.run"
DAY = 86_400


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/reporting/report_runs; pending at first, as every report is."""
    kind = params.needed("report_type")
    if kind not in TYPES:
        raise no_such("report type", kind, param="report_type", status=400)
    asked = params.nested("parameters")
    start, end = asked.whole("interval_start"), asked.whole("interval_end")
    wish: Body = {
        "columns": asked.texts("columns") or None,
        "connected_account": asked.text("connected_account"),
        "currency": asked.text("currency"),
        "interval_end": end,
        "interval_start": start,
        "payout": asked.text("payout"),
        "reporting_category": asked.text("reporting_category"),
        "timezone": asked.text("timezone"),
    }
    params.done()
    _check(kind, wish, tx.now)
    run: Body = {
        "id": tx.new_id("frr_"),
        "object": "reporting.report_run",
        "created": tx.now,
        "error": None,
        "livemode": False,
        "parameters": {name: value for name, value in wish.items() if value is not None},
        "report_type": kind,
        "result": None,
        "status": "pending",
        "succeeded_at": None,
    }
    tx.insert(run)
    tx.schedule(TIMER, run["id"], tx.now)
    return public(run)


def _check(kind: str, wish: Body, now: int) -> None:
    if wish["timezone"] not in {None, "Etc/UTC", "UTC"}:
        raise ApiError("This sandbox reports in UTC only.", param="parameters[timezone]")
    unknown = set(wish["columns"] or ()) - set(TYPES[kind].all_columns)
    if unknown:
        raise ApiError(
            f"Unknown columns: {', '.join(sorted(unknown))}", param="parameters[columns]"
        )
    if TYPES[kind].by_payout and wish["payout"]:
        return
    start, end = wish["interval_start"], wish["interval_end"]
    if start is None or end is None or start >= end:
        raise ApiError(
            "interval_start and interval_end are needed, the first before the second.",
            param="parameters[interval_start]",
        )
    if end > now:
        raise ApiError(
            "interval_end is later than the data that is available.",
            param="parameters[interval_end]",
        )


def finish(tx: Tx, run_id: str) -> None:
    """What the timer does: write the file, and say so."""
    run = tx.need("reporting.report_run", run_id, lock=True)
    if run["status"] != "pending":
        return
    wish = Wish(**{name: run["parameters"].get(name) for name in Wish.__dataclass_fields__})
    there = tx.acting_for(wish.connected_account or tx.account)
    content = report_rows.content(there, run["report_type"], wish)
    run["result"] = report_rows.store_file(tx, content, f"{run_id}.csv")
    run.update(status="succeeded", succeeded_at=tx.now)
    tx.save(run)
    events.announce(tx, "reporting.report_run.succeeded", run)


def retrieve(tx: Tx, params: Params, run_id: str) -> Body:
    """GET /v1/reporting/report_runs/{id}"""
    params.done()
    return public(tx.need("reporting.report_run", run_id))


def list_runs(tx: Tx, params: Params) -> Body:
    """GET /v1/reporting/report_runs, by created."""
    query = of_kind("reporting.report_run", URL)
    query.within(params)
    return page(tx, query, params)


def list_types(tx: Tx, params: Params) -> Body:
    """GET /v1/reporting/report_types"""
    params.done()
    types = [_type(tx, name) for name in TYPES]
    return {"object": "list", "data": types, "has_more": False, "url": TYPES_URL}


def retrieve_type(tx: Tx, params: Params, name: str) -> Body:
    """GET /v1/reporting/report_types/{id}"""
    params.done()
    if name not in TYPES:
        raise no_such("report type", name)
    return _type(tx, name)


def _type(tx: Tx, name: str) -> Body:
    return {
        "id": name,
        "object": "reporting.report_type",
        "data_available_end": tx.now // DAY * DAY,
        "data_available_start": 1_577_836_800,
        "default_columns": list(TYPES[name].columns),
        "livemode": False,
        "name": TYPES[name].title,
        "updated": tx.now // DAY * DAY,
        "version": int(name.rsplit(".", 1)[1]),
    }


def retrieve_file(tx: Tx, params: Params, file_id: str) -> Body:
    """GET /v1/files/{id}"""
    params.done()
    return public(tx.need("file", file_id))


def contents(tx: Tx, params: Params, file_id: str) -> Raw:
    """GET /v1/files/{id}/contents: the CSV itself."""
    params.done()
    tx.need("file", file_id)
    return Raw(report_rows.file_content(tx, file_id), "text/csv")


def routes(public_url: str) -> tuple[Route, ...]:
    """The calls; files carry the address of their contents, so it must be known."""

    def with_url(body: Body) -> Body:
        result = body.get("result")
        if isinstance(result, dict):
            result["url"] = f"{public_url}{FILES_URL}/{result['id']}/contents"
        if body["object"] == "file":
            body["url"] = f"{public_url}{FILES_URL}/{body['id']}/contents"
        for one in body.get("data", []) if body["object"] == "list" else []:
            with_url(one)
        return body

    return (
        Route("POST", URL, create),
        Route("GET", URL, lambda tx, params: with_url(list_runs(tx, params))),
        Route(
            "GET",
            f"{URL}/<run_id>",
            lambda tx, params, run_id: with_url(retrieve(tx, params, run_id)),
        ),
        Route("GET", TYPES_URL, list_types),
        Route("GET", f"{TYPES_URL}/<name>", retrieve_type),
        Route(
            "GET",
            f"{FILES_URL}/<file_id>",
            lambda tx, params, file_id: with_url(retrieve_file(tx, params, file_id)),
        ),
        Route("GET", f"{FILES_URL}/<file_id>/contents", contents),
    )
