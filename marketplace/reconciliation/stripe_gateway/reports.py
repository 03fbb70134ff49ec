"""Stripe's report runs: asked for under a key, looked at until they are done, downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import httpx
from stripe import StripeClient

from marketplace import stripe_client
from marketplace.db import outside_transaction
from marketplace.reconciliation.rules.statements import FILE_BYTES_MAX
from marketplace.stripe_client import StripeUnreachable, translated

REPORT = "balance_change_from_activity.itemized.3"
FILES = "https://files.stripe.com"
PATIENCE = httpx.Timeout(60, connect=5)


@dataclass(frozen=True, slots=True)
class ReportRun:
    """A report as Stripe has it. file_id: its file once it is done; failed: it never will be."""

    id: str
    file_id: str | None
    failed: bool


@outside_transaction
def report_days_until(client: StripeClient) -> date:
    """The day before which Stripe has all data for reports; of UTC."""
    with translated():
        told = client.v1.reporting.report_types.retrieve(REPORT)
    return datetime.fromtimestamp(told.data_available_end, UTC).date()


@outside_transaction
def ask_report(client: StripeClient, begins: date, ends: date) -> ReportRun:
    """Ask for the days from `begins` until before `ends`, of UTC; the same run for the same days
    within a day, whoever asks again."""
    asked: dict[str, Any] = {
        "report_type": REPORT,
        "parameters": {"interval_start": _instant(begins), "interval_end": _instant(ends)},
    }
    key = f"report:{REPORT}:{begins}:{ends}"
    with translated():
        run = client.v1.reporting.report_runs.create(asked, {"idempotency_key": key})  # type: ignore[arg-type]
    return _run(run.to_dict())


@outside_transaction
def report_now(client: StripeClient, run_id: str) -> ReportRun:
    """How far a report is."""
    with translated():
        return _run(client.v1.reporting.report_runs.retrieve(run_id).to_dict())


@outside_transaction
def report_content(file_id: str) -> bytes:
    """The report's file; StripeUnreachable when it does not come whole, or is too large."""
    base = stripe_client.address() or FILES
    content = bytearray()
    headers = {"Authorization": f"Bearer {stripe_client.secret_key()}"}
    try:
        with (
            httpx.Client(timeout=PATIENCE, trust_env=False, headers=headers) as http,
            http.stream("GET", f"{base}/v1/files/{file_id}/contents") as answer,
        ):
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > FILE_BYTES_MAX:
                    raise StripeUnreachable(f"The report {file_id} is too large to be read.")
    except httpx.HTTPError as fault:
        raise StripeUnreachable(f"The report {file_id} could not be downloaded.") from fault
    return bytes(content)


def _instant(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _run(body: dict[str, Any]) -> ReportRun:
    result = body.get("result") or {}
    done = body["status"] == "succeeded"
    return ReportRun(body["id"], result.get("id") if done else None, body["status"] == "failed")
