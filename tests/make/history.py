"""A true history of money: Stripe, a bank and the book say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.actor import SYSTEM
from marketplace.ids import PayoutLineId, PersonId, new_id
from marketplace.money import Money, zero
from marketplace.reconciliation import service
from marketplace.reconciliation.models import StatementSource
from marketplace.reconciliation.rules import Line
from marketplace.reconciliation.rules.breaks import BreakKind
from marketplace.reconciliation.rules.statements import (
    ParsedEntry,
    ParsedStatement,
    SourceKind,
)
from marketplace.reconciliation.service.statements import SealedStatement
from marketplace.reconciliation.stripe_gateway import RawBalance, RawLine, RawPayout
from tests.make import billing as people
from tests.make import ledger as make
from tests.make.ledger import usd

IBAN = "DE02120300000000202051"
Expected = set[tuple[str, BreakKind, str]]
NUMBERS = count(1)


def insert_row(session: Session, table: str, **values: object) -> UUID:
    """A row that no service makes in this state; its id."""
    row_id = new_id()
    session.execute(insert(db.metadata.tables[table]).values(id=row_id, **values))
    return row_id


@dataclass
class History:
    """What was made so far. day: the bank's last day; sums: what Stripe's lines sum to."""

    session: Session
    source: StatementSource
    day: date
    balance: Money
    sums: dict[str, int] = field(default_factory=dict)

    def line(
        self,
        kind: str,
        amount: Money,
        fee: Money | None = None,
        *,
        source: str | None = None,
        days_ago: int = 3,
        seen: timedelta = timedelta(0),
    ) -> str:
        """A line of our balance at Stripe, made days ago; its id. seen: when we stored it, before
        that long."""
        number = next(NUMBERS)
        made = clock.now() - timedelta(days=days_ago)
        kept = fee or zero(amount.currency)
        line = Line(f"txn_{number:06}", kind, amount, kept, made)
        raw = RawLine(line, source or f"{kind}_{number}", made, {"id": line.id, "number": number})
        with clock.shifted(-(seen or timedelta(days=days_ago))):
            service.record_lines(self.session, [raw])
        net = self.sums.get(amount.currency, 0) + line.net.minor
        self.sums[amount.currency] = net
        return line.id

    def top_up(self, amount: Money, fee: Money | None = None, *, told: Money | None = None) -> str:
        """A posted top-up and its line, which may tell another amount; the line's id."""
        line = self.line("charge", told or amount, fee)
        make.topped_up(
            self.session, amount, fee=fee, balance_transaction_id=line, effective_on=self.day
        )
        return line

    def payout(
        self, amount: Money, *, status: str = "paid", arrived_days_ago: int = 20, name: str = ""
    ) -> RawPayout:
        """A payout to our bank, posted, as Stripe tells it."""
        number = next(NUMBERS)
        payout_id = name or f"po_{number}"
        line = self.line("payout", -amount, source=payout_id, days_ago=arrived_days_ago + 1)
        assert service.post_line(self.session, line)
        told = RawPayout(
            id=payout_id,
            amount=amount,
            status=status,
            automatic=True,
            arrival_on=(clock.now() - timedelta(days=arrived_days_ago)).date(),
            trace_id=f"TRACE{number:08}",
            descriptor="",
            reconciled=True,
            balance_transaction_id=line,
            failure_transaction_id=None,
            failure_code=None,
            created_at=clock.now() - timedelta(days=arrived_days_ago + 1),
            body={"id": payout_id, "status": status},
        )
        service.record_payouts(self.session, [told])
        return told

    def transfer(self, amount: Money) -> str:
        """Pay that was sent to a specialist's account, with its payout line; the line's id."""
        person = people.a_person(self.session, is_specialist=True)
        line_id = make.payout_line(self.session, person, amount)
        make.sent(self.session, person, line_id, amount)
        transfer = f"tr_{line_id.hex}"
        self.payout_line(person, amount, line_id=line_id, transfer_id=transfer)
        number = next(NUMBERS)
        made = clock.now() - timedelta(days=3)
        line = Line(f"txn_{line_id.hex}", "transfer", -amount, zero(amount.currency), made)
        raw = RawLine(line, transfer, made, {"id": line.id, "number": number})
        with clock.shifted(-timedelta(days=3)):
            service.record_lines(self.session, [raw])
        self.sums[amount.currency] = self.sums.get(amount.currency, 0) - amount.minor
        return line.id

    def payout_line(
        self,
        person: PersonId,
        amount: Money,
        *,
        line_id: PayoutLineId | None = None,
        transfer_id: str | None = None,
        since: timedelta = timedelta(hours=2),
    ) -> str:
        """A payout line, transferred, or unknown without a transfer; its id."""
        now = clock.now() - since
        run = self._run(person, amount, now)
        made: dict[str, object] = {
            "run_id": run,
            "specialist_id": person,
            "stripe_account_id": f"acct_{person.hex[16:]}",
            "payee_version": 1,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "state": "draft",
            "since": now,
            "next_look_at": now,
        }
        wanted = line_id or new_id()
        lines = db.metadata.tables["payout_line"]
        self.session.execute(insert(lines).values(id=wanted, **made))
        self._release(run, person, amount, now)
        ended: dict[str, object] = {"state": "unknown"}
        if transfer_id:
            ended = {
                "state": "transferred",
                "transfer_id": transfer_id,
                "balance_transaction_id": f"txn_{wanted.hex}",
                "destination_amount_minor": amount.minor,
                "destination_currency": amount.currency,
                "ended_at": now,
            }
        for step in ({"state": "approved"}, {"state": "submitting"}, ended):
            self.session.execute(update(lines).where(lines.c.id == wanted).values(**step))
        return str(wanted)

    def _run(self, preparer: PersonId, amount: Money, at: datetime) -> UUID:
        """A draft of one line."""
        number = next(NUMBERS)
        return insert_row(
            self.session,
            "payout_run",
            year=2026,
            number=number,
            reference=f"PO-2026-{number:04}",
            currency=amount.currency,
            minimum_minor=1,
            state="draft",
            content_sha256="0" * 64,
            line_count=1,
            total_minor=amount.minor,
            prepared_by=preparer,
            prepared_at=at,
            version=1,
            asked={},
            approvals_needed=1,
        )

    def _release(self, run: UUID, preparer: PersonId, amount: Money, at: datetime) -> None:
        """Somebody else approves the run, and whoever prepared it releases it."""
        runs, approver = db.metadata.tables["payout_run"], people.a_person(self.session)
        insert_row(
            self.session,
            "payout_approval",
            run_id=run,
            person_id=approver,
            content_sha256="0" * 64,
            at=at,
            total_minor=amount.minor,
            day_used_minor=0,
        )
        approved = {
            "state": "approved",
            "approved_by": approver,
            "approved_at": at,
            "approved_sha256": "0" * 64,
        }
        for change in (
            approved,
            {"state": "releasing", "released_by": preparer, "released_at": at},
        ):
            self.session.execute(update(runs).where(runs.c.id == run).values(**change))

    def bank_day(
        self, *lines: tuple[int, str, str], gap: int = 0, end_to_end: str = ""
    ) -> list[str]:
        """The bank's statement of the next day: (cents, text, return reason) of each line; the
        lines' natural ids. gap: how much the opening balance is off the closing one before."""
        self.day += timedelta(days=1)
        entries = tuple(
            ParsedEntry(
                amount=usd(minor),
                booked_on=self.day,
                bank_reference=f"B{next(NUMBERS)}",
                end_to_end=end_to_end,
                counterparty="Somebody",
                text=words,
                return_reason=reason,
                line=at,
            )
            for at, (minor, words, reason) in enumerate(lines, 1)
        )
        opening = self.balance + usd(gap)
        moved = sum((each.amount for each in entries), usd(0))
        parsed = ParsedStatement(
            account=IBAN,
            opening=opening,
            closing=opening + moved,
            from_on=self.day,
            to_on=self.day,
            entries=entries,
        )
        taken = service.record_statements(self.session, SYSTEM, sealed(), [parsed])
        self.balance = parsed.closing
        found = self.session.scalars(
            text("SELECT natural_id FROM statement_entry WHERE statement_id = :id ORDER BY line"),
            {"id": taken.statement_ids[0]},
        )
        return list(found)

    def settle(self) -> None:
        """Post what banks' lines explain, until nothing more is."""
        while service.settle_entries(self.session).posted:
            self.session.flush()

    def told(self, *, off: int = 0) -> None:
        """Stripe's balance, as its lines sum up; off: how much it is off them."""
        sums = dict(self.sums)
        sums["USD"] = sums.get("USD", 0) + off
        balances = {each: {"available": minor, "pending": 0} for each, minor in sums.items()}
        service.record_statement(self.session, RawBalance(balances, {"object": "balance"}))
        self.session.flush()

    def found(self, altered: list[UUID] | None = None) -> Expected:
        """Every break that is found now: source, kind and key."""
        differences = service.found_differences(self.session, clock.now(), altered)
        return {(name, one.kind, one.key) for name, each in differences.items() for one in each}


def sealed() -> SealedStatement:
    """A file that nobody looks at: only its row counts here."""
    file_id = new_id()
    return SealedStatement(
        id=file_id,
        kind=SourceKind.CAMT053,
        name="a.xml",
        sha256=file_id.bytes * 2,
        size_bytes=1,
        reference=f"statements/{file_id}",
        file_key="key",
    )


def a_true_history(session: Session) -> History:
    """Top-ups, transfers, payouts, fees, a wire and our own funding; all sides agree."""
    source = service.add_source(
        session, SYSTEM, kind=SourceKind.CAMT053, account=IBAN, currency="USD", holds="client_funds"
    )
    begins = (clock.now() - timedelta(days=31)).date()
    history = History(session, source, begins, usd(5_000_00))
    with clock.shifted(-timedelta(hours=1)):
        # What we earned covers what Stripe keeps of payments.
        job = make.funded_job(session, usd(0) + usd(500_00), lab_id=None)
        make.accepted(session, job, make.a_specialist(), usd(1), usd(499_99))
        _cover_made_up_money(history)
        for minor in (100_00, 250_00, 999_99):
            history.top_up(usd(minor), usd(3_00))
        for minor in (40_00, 60_00):
            history.transfer(usd(minor))
        _cover_made_up_money(history)
        first = history.payout(usd(75_00), arrived_days_ago=25)
        second = history.payout(usd(50_00), arrived_days_ago=24)
        funding = history.line("topup", usd(300_00), days_ago=24)
        fee = history.line("stripe_fee", usd(-2_00))
        reserve = history.line("reserve_transaction", usd(-5_00))
        for line in (funding, fee, reserve):
            assert service.post_line(session, line)
        for _ in range(4):
            history.bank_day()
        history.bank_day((75_00, f"STRIPE {first.trace_id}", ""), (-300_00, "TO STRIPE", ""))
        history.bank_day((50_00, "Stripe Payments", ""), (80_00, "Invoice unknown", ""))
        for _ in range(20):
            history.bank_day()
        history.settle()
        assert second.id
    return history


def _cover_made_up_money(history: History) -> None:
    """Lines for the top-ups that builders of pay post by themselves."""
    rows = history.session.execute(
        text(
            "SELECT t.balance_transaction_id AS bt, e.amount, e.currency FROM ledger_transaction t"
            " JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a"
            " ON a.id = e.account_id WHERE t.source_kind = 'top_up'"
            " AND a.code LIKE 'A:stripe:balance:%' AND NOT EXISTS ("
            " SELECT FROM stripe_statement_line l WHERE l.id = t.balance_transaction_id)"
        )
    ).all()
    made = clock.now() - timedelta(days=3)
    for row in rows:
        amount = Money(int(row.amount), row.currency)
        line = Line(row.bt, "charge", amount, zero(row.currency), made)
        raw = RawLine(line, f"ch_{row.bt}", made, {"id": row.bt})
        with clock.shifted(-timedelta(days=3)):
            service.record_lines(history.session, [raw])
        history.sums[row.currency] = history.sums.get(row.currency, 0) + amount.minor
