"""The bank's side: an account, its first statement, and one line that nobody can explain yet."""

from __future__ import annotations

from datetime import timedelta

from marketplace import outbox
from marketplace.db import transaction
from marketplace.demo.people import actor_of
from marketplace.ids import new_id
from marketplace.ledger.service import book_today
from marketplace.reconciliation import background, service
from marketplace.reconciliation.queries import breaks, uploads
from marketplace.reconciliation.rules.breaks import BreakKind
from marketplace.reconciliation.rules.statements import SourceKind

RECONCILER = "reconciler@demo.test"
ACCOUNT = "GB33BUKB20201555555555"
DAYS = 22
PULL = "reconciliation.pull"
COMMENT = "The bank charges it each month, says its price list. Its letter has been asked for."
STATEMENT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>DEMO-1</MsgId><CreDtTm>{last}T22:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>DEMO-1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{last}T22:00:00Z</CreDtTm>
<FrToDt><FrDtTm>{first}T00:00:00Z</FrDtTm><ToDtTm>{last}T23:59:59Z</ToDtTm></FrToDt>
<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">0.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{first}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">237.50</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{last}</Dt></Dt></Bal>
{lines}</Stmt></BkToCstmrStmt></Document>
"""
LINE = """<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>
<AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{end}</EndToEndId></Refs>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""


def upload_statement() -> None:
    """A wire that waits for its owner, and the bank's fee, which is an open break."""
    with transaction() as session:
        actor = actor_of(session, RECONCILER)
        if uploads.sources(session, actor):
            return
        service.add_source(
            session,
            actor,
            kind=SourceKind.CAMT053,
            account=ACCOUNT,
            currency="USD",
            name="Client account",
        )
    name = f"client-account-{book_today():%Y-%m}.xml"
    background.take_statement(actor, _file(), kind=SourceKind.CAMT053, name=name)
    # Stripe's lines of the whole history, so that only what the bank says is left to explain.
    background.pull(outbox.Work(id=new_id(), name=PULL, arguments={}, attempt=1))
    background.compare_all(actor)
    _begin_to_look()


def _file() -> bytes:
    today = book_today()
    first, last = (today - timedelta(days=days) for days in (DAYS, 1))
    wire = LINE.format(
        amount="250.00",
        sign="CRDT",
        on=today - timedelta(days=3),
        reference="BK7731",
        end="NOTPROVIDED",
        text="Prepayment annotation work",
    )
    fee = LINE.format(
        amount="12.50",
        sign="DBIT",
        on=today - timedelta(days=5),
        reference="BK7718",
        end="NOTPROVIDED",
        text="Account fee",
    )
    whole = STATEMENT.format(account=ACCOUNT, first=first, last=last, lines=fee + wire)
    return whole.encode()


def _begin_to_look() -> None:
    """The reconciler has begun with the fee."""
    with transaction() as session:
        actor = actor_of(session, RECONCILER)
        wanted = breaks.Wanted(kind=BreakKind.MISSING_IN_LEDGER)
        for row in breaks.breaks(session, actor, wanted):
            if row.difference.minor == -12_50:
                service.investigate_break(session, actor, row.id)
                service.comment_break(session, actor, row.id, COMMENT)
