"""For the platform's finance: payouts, statements, breaks, the books."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Unpack

from marketplace.client.engine import One, to, to_bytes
from marketplace.client.operations import M, Resource, operation, pages, steps
from marketplace.client.records import AnyId
from marketplace.client.sending import Counted, Progress
from marketplace.client.shapes import closing as closed
from marketplace.client.shapes import finance as shapes

BINARY = "application/octet-stream"


class PayoutRuns(Resource[M]):
    """`client.finance.payout_runs`."""

    @operation("POST /finance/payout-runs")
    def create(self, **asked: Unpack[shapes.RunAsked]) -> One[shapes.Run]:
        """Prepare one."""
        return to(shapes.Run, json=asked)

    @pages("GET /finance/payout-runs")
    def list(self) -> One[shapes.Run]:
        """All of them, newest first."""
        return to(shapes.Run)

    @operation("GET /finance/payout-runs/{run_id}")
    def get(
        self, run_id: AnyId, *, after: str | None = None, limit: int = 200
    ) -> One[shapes.RunWithLines]:
        """One, with a page of its lines and the reasons of those left out."""
        return to(shapes.RunWithLines, query=_said(after=after, limit=limit))

    @operation("POST /finance/payout-runs/{run_id}/approve")
    def approve(self, run_id: AnyId, **asked: Unpack[shapes.Approval]) -> One[shapes.Run]:
        """Approve exactly what `content_sha256` stands for."""
        return to(shapes.Run, json=asked)

    @operation("POST /finance/payout-runs/{run_id}/release")
    def release(self, run_id: AnyId) -> One[shapes.Run]:
        """Send the money."""
        return to(shapes.Run)

    @operation("POST /finance/payout-runs/{run_id}/pause")
    def pause(self, run_id: AnyId) -> One[shapes.Run]:
        """Send no more for now."""
        return to(shapes.Run)

    @operation("POST /finance/payout-runs/{run_id}/resume")
    def resume(self, run_id: AnyId) -> One[shapes.Run]:
        """Go on."""
        return to(shapes.Run)

    @operation("POST /finance/payout-runs/{run_id}/cancel")
    def cancel(self, run_id: AnyId) -> One[shapes.Run]:
        """Give it up before it is released."""
        return to(shapes.Run)

    @operation("POST /finance/payout-lines/{line_id}/cancel")
    def cancel_line(self, line_id: AnyId) -> One[shapes.Line]:
        """Pay one line not."""
        return to(shapes.Line)


class Breaks(Resource[M]):
    """`client.finance.breaks`: differences that reconciliation found."""

    @pages("GET /finance/breaks")
    def list(self, /, **query: Any) -> One[closed.Break]:
        """All; query: state, kind, severity, source."""
        return to(closed.Break, query=query)

    @operation("GET /finance/breaks/{break_id}")
    def get(self, break_id: AnyId) -> One[closed.BreakWithHistory]:
        """One, with its history."""
        return to(closed.BreakWithHistory)

    @operation("POST /finance/breaks/{break_id}/assign")
    def assign(self, break_id: AnyId, owner_id: AnyId) -> One[closed.Break]:
        """Say whose it is."""
        return to(closed.Break, json={"owner_id": owner_id})

    @operation("POST /finance/breaks/{break_id}/comment")
    def comment(self, break_id: AnyId, note: str) -> One[closed.Break]:
        """Write something beside it."""
        return to(closed.Break, json={"note": note})

    @operation("POST /finance/breaks/{break_id}/investigate")
    def investigate(self, break_id: AnyId) -> One[closed.Break]:
        """Begin to look into it."""
        return to(closed.Break)

    @operation("POST /finance/breaks/{break_id}/propose")
    def propose(
        self, break_id: AnyId, **asked: Unpack[closed.ProposeAsked]
    ) -> One[closed.Proposal]:
        """Propose how it is put right."""
        return to(closed.Proposal, json=asked)

    @operation("POST /finance/breaks/{break_id}/approve")
    def approve(
        self, break_id: AnyId, **asked: Unpack[closed.ApproveAsked]
    ) -> One[closed.BreakWithHistory]:
        """Approve exactly what `content_sha256` stands for."""
        return to(closed.BreakWithHistory, json=asked)

    @operation("POST /finance/breaks/{break_id}/decline")
    def decline(self, break_id: AnyId, note: str) -> One[closed.Break]:
        """Decline the proposal."""
        return to(closed.Break, json={"note": note})


class Statements(Resource[M]):
    """`client.finance.statements`: of banks and of Stripe."""

    @steps
    async def add(
        self,
        file: str | os.PathLike[str],
        *,
        fields: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> shapes.StatementFile:
        """Send a file; fields: kind, source_id, and what else the form takes."""
        with closing(Counted(file, progress)) as content:
            call = to(
                shapes.StatementFile,
                form=dict(fields or {}),
                files={"file": (Path(file).name, content, BINARY)},
            )
            taken: shapes.StatementFile = await self._engine.run(
                "POST", "/finance/statements", call
            )
            return taken

    @pages("GET /finance/statements")
    def list(self) -> One[shapes.Statement]:
        """All of them."""
        return to(shapes.Statement)

    @pages("GET /finance/statements/{statement_id}/entries")
    def entries(self, statement_id: AnyId) -> One[shapes.EntryMatched]:
        """One's entries, with what they were matched to."""
        return to(shapes.EntryMatched)

    @pages("GET /finance/statement-sources")
    def sources(self) -> One[shapes.StatementSource]:
        """The accounts whose statements come."""
        return to(shapes.StatementSource)

    @operation("POST /finance/statement-sources")
    def add_source(
        self, **asked: Unpack[shapes.StatementSourceAsked]
    ) -> One[shapes.StatementSource]:
        """Add one."""
        return to(shapes.StatementSource, json=asked)

    @operation("POST /finance/reconciliations")
    def reconcile(self) -> One[shapes.Reconciliation]:
        """Compare the ledger with all that outside accounts say."""
        return to(shapes.Reconciliation, timeout_seconds=600.0)

    @pages("GET /finance/reconciliations")
    def reconciliations(self) -> One[shapes.Reconciliation]:
        """All comparisons."""
        return to(shapes.Reconciliation)


class Books(Resource[M]):
    """`client.finance.books`: the ledger, its months, and labs' invoices."""

    @operation("GET /finance/trial-balance")
    def trial_balance(
        self, *, at: str | None = None, after: str | None = None, limit: int = 200
    ) -> One[shapes.Trial]:
        """A page of it, now or as of a time."""
        return to(shapes.Trial, query=_said(at=at, after=after, limit=limit))

    @pages("GET /finance/accounts/{code}/entries")
    def entries(self, code: str) -> One[shapes.Entry]:
        """An account's entries."""
        return to(shapes.Entry)

    @operation("GET /finance/ledger.beancount")
    def beancount(self) -> One[bytes]:
        """The whole ledger as a beancount file."""
        return to_bytes(timeout_seconds=600.0)

    @operation("GET /finance/tax-totals")
    def tax_totals(self, begin: str, end: str) -> One[shapes.TaxTotals]:
        """Tax on invoices from a day to a day, both included."""
        return to(shapes.TaxTotals, query={"from": begin, "to": end})

    @pages("GET /finance/periods")
    def periods(self) -> One[closed.PeriodListed]:
        """All months, newest first."""
        return to(closed.PeriodListed)

    @operation("GET /finance/periods/{month}")
    def period(self, month: str) -> One[closed.Period]:
        """A month (2026-11), with what keeps it from closing."""
        return to(closed.Period)

    @operation("POST /finance/periods/{month}/close")
    def close(self, month: str) -> One[closed.Period]:
        """Close it."""
        return to(closed.Period, timeout_seconds=600.0)

    @operation("GET /finance/periods/{month}/pack")
    def pack(self, month: str) -> One[bytes]:
        """A closed month's papers, as a ZIP."""
        return to_bytes(timeout_seconds=600.0)

    @operation("POST /finance/periods/{month}/reopening")
    def reopen(self, month: str, reason: str) -> One[closed.Reopening]:
        """Ask to open it again."""
        return to(closed.Reopening, json={"reason": reason})

    @operation("POST /finance/periods/{month}/reopening/approve")
    def approve_reopening(self, month: str) -> One[closed.Reopening]:
        """Approve that."""
        return to(closed.Reopening)

    @pages("GET /finance/invoices")
    def invoices(self, /, **query: Any) -> One[shapes.LabInvoice]:
        """All labs' invoices; query: state, kind, number."""
        return to(shapes.LabInvoice, query=query)

    @operation("GET /finance/invoices/{invoice_id}")
    def invoice(self, invoice_id: AnyId) -> One[shapes.LabInvoiceInFull]:
        """One, with its lines."""
        return to(shapes.LabInvoiceInFull)

    @operation("GET /finance/invoices/{invoice_id}.pdf")
    def invoice_pdf(self, invoice_id: AnyId) -> One[bytes]:
        """One, as a PDF."""
        return to_bytes()

    @operation("POST /finance/invoices/{invoice_id}/corrections")
    def correct_invoice(self, invoice_id: AnyId, reason: str) -> One[shapes.Correction]:
        """Ask for a correction."""
        return to(shapes.Correction, json={"reason": reason})

    @operation("POST /finance/invoice-corrections/{correction_id}/decision")
    def decide_correction(self, correction_id: AnyId, approve: bool) -> One[shapes.Correction]:
        """Approve a correction, or not."""
        return to(shapes.Correction, json={"approve": approve})


class Finance(Resource[M]):
    """`client.finance`."""

    @property
    def payout_runs(self) -> PayoutRuns[M]:
        """Runs of payouts."""
        return PayoutRuns(self._engine)

    @property
    def breaks(self) -> Breaks[M]:
        """Differences."""
        return Breaks(self._engine)

    @property
    def statements(self) -> Statements[M]:
        """Statements of outside accounts."""
        return Statements(self._engine)

    @property
    def books(self) -> Books[M]:
        """The ledger."""
        return Books(self._engine)


def _said(**query: Any) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
