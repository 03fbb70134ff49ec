"""ISO 20022 camt.053, versions 001.02 to 001.14: a bank's statements in XML; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from marketplace.money import EXPONENT, Money, total, zero
from marketplace.reconciliation.rules.elements import Element, tree
from marketplace.reconciliation.rules.statements import (
    ParsedEntry,
    ParsedStatement,
    StatementRefused,
    all_proven,
    checked_size,
)

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d{2})")
_AMOUNT = re.compile(r"\d{1,18}(\.\d{1,5})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
VERSIONS = range(2, 15)
OPENING = ("OPBD", "PRCD")
CLOSING = ("CLBD",)
BETWEEN = "ITBD"


def read(content: bytes) -> tuple[ParsedStatement, ...]:
    """Every statement of the file, proven, its pages put together; StatementRefused otherwise."""
    root = tree(checked_size(content))
    version = _version(root)
    message = root.needed("BkToCstmrStmt")
    pages = [_Page(each, version, message) for each in message.all("Stmt")]
    return all_proven([_together(group) for group in _grouped(pages)])


def _version(root: Element) -> str:
    named = root.attributes.get("xmlns", "")
    found = _NAMESPACE.fullmatch(named)
    if root.name != "Document" or found is None or int(found[1]) not in VERSIONS:
        raise StatementRefused(
            f"This is {named or f'<{root.name}>'}, and we read camt.053.001.02 to .14. Ask the "
            "bank for end-of-day statements in camt.053.",
            line=root.line,
        )
    return f"camt.053.001.{found[1]}"


class _Page:
    """One <Stmt>, which may be one page of several."""

    def __init__(self, stmt: Element, version: str, message: Element) -> None:
        self.stmt, self.version = stmt, version
        self.number = stmt.words("Id")
        # Older versions number the pages of the message, newer ones those of the statement.
        paged = stmt.first("StmtPgntn") or message.first("GrpHdr", "MsgPgntn")
        self.page = int(paged.words("PgNb")) if paged and paged.words("PgNb").isdigit() else 1
        self.last = paged is None or paged.words("LastPgInd") in {"true", "1"}
        self.account = _account(stmt)
        self.balances = [(_balance_code(each), each) for each in stmt.all("Bal")]
        self.sequence = _sequence(stmt)
        self.currency = _currency(stmt, self.balances)
        left: list[Element] = []
        booked: list[Element] = []
        for entry in stmt.all("Ntry"):
            status = entry.words("Sts", "Cd") or entry.words("Sts") or "BOOK"
            (booked if status == "BOOK" else left).append(entry)
        self.entries = [made for each in booked for made in _entries(each, self.currency)]
        self.left_out = len(left)

    def balance(self, codes: Iterable[str], *, last: bool) -> tuple[Money, date] | None:
        """The balance with one of these codes, the first or the last of them, and its day."""
        found = [each for code, each in self.balances if code in codes]
        if not found:
            return None
        chosen = found[-1 if last else 0]
        return _signed(chosen, self.currency), _day(chosen.needed("Dt"))


def _grouped(pages: Sequence[_Page]) -> list[list[_Page]]:
    """Pages of the same statement together, in the order of the file."""
    groups: dict[tuple[str, str, int | None], list[_Page]] = {}
    for page in pages:
        groups.setdefault((page.account, page.number, page.sequence), []).append(page)
    for group in groups.values():
        group.sort(key=lambda page: page.page)
        expected = list(range(1, len(group) + 1))
        if [page.page for page in group] != expected or not group[-1].last:
            missing = next(
                (want for want, page in zip(expected, group, strict=True) if want != page.page),
                len(group) + 1,
            )
            raise StatementRefused(
                f"Page {missing} of statement {group[0].number} is not in this file. Put all "
                "pages of a statement into one file, each once, and upload that.",
                line=group[0].stmt.line,
            )
    return list(groups.values())


def _together(pages: Sequence[_Page]) -> ParsedStatement:
    first, last = pages[0], pages[-1]
    opening = first.balance(OPENING, last=False) or first.balance((BETWEEN,), last=False)
    closing = last.balance(CLOSING, last=True)
    if closing is None and last.balance((BETWEEN,), last=True) and len(last.balances) > 1:
        closing = last.balance((BETWEEN,), last=True)
    for what, found in (("opening balance (OPBD)", opening), ("closing balance (CLBD)", closing)):
        if found is None:
            raise StatementRefused(
                f"Statement {first.number} has no {what}, so it cannot be proven whole. Ask the "
                "bank for end-of-day statements with booked balances.",
                line=first.stmt.line,
            )
    assert opening is not None  # noqa: S101 - just refused above.
    assert closing is not None  # noqa: S101 - just refused above.
    entries = tuple(entry for page in pages for entry in page.entries)
    begins, ends = _days(pages, closing[1])
    booked = [entry.booked_on for entry in entries]
    return ParsedStatement(
        account=first.account,
        opening=opening[0],
        closing=closing[0],
        from_on=min([begins, ends, *booked]),
        to_on=ends,
        entries=entries,
        number=first.number,
        sequence=first.sequence,
        pages=len(pages),
        left_out=sum(page.left_out for page in pages),
        variant=first.version,
    )


def _days(pages: Sequence[_Page], closed: date) -> tuple[date, date]:
    """The first and the last day: as stated, else the closing day, which is what banks mean."""
    stated = pages[0].stmt.first("FrToDt")
    if stated is None:
        booked = [entry.booked_on for page in pages for entry in page.entries]
        # The opening balance carries the day before, or the day itself, as the bank likes.
        return min([closed, *booked]), closed
    begins = _day(stated.needed("FrDtTm") if stated.first("FrDtTm") else stated.needed("FrDt"))
    ends = stated.first("ToDtTm") or stated.needed("ToDt")
    # Some banks end a day at the next midnight, or state when the file was made.
    return min(begins, closed), max(min(_day(ends), closed), begins, closed)


def _account(stmt: Element) -> str:
    identity = stmt.needed("Acct").needed("Id")
    number = identity.words("IBAN") or identity.words("Othr", "Id")
    if not number:
        raise StatementRefused("The account has no number.", line=identity.line)
    return number


def _sequence(stmt: Element) -> int | None:
    for name in ("ElctrncSeqNb", "LglSeqNb"):
        found = stmt.words(name)
        if found.isdigit():
            return int(found)
    return None


def _balance_code(balance: Element) -> str:
    return balance.words("Tp", "CdOrPrtry", "Cd")


def _currency(stmt: Element, balances: Sequence[tuple[str, Element]]) -> str:
    stated = stmt.words("Acct", "Ccy")
    for _, balance in balances:
        stated = stated or balance.needed("Amt").attributes.get("Ccy", "")
    if stated not in EXPONENT:
        raise StatementRefused(
            f"The account's currency is {stated or 'not stated'}, which the ledger does not know.",
            line=stmt.line,
        )
    return stated


def _signed(element: Element, currency: str) -> Money:
    """<Amt> with the sign of <CdtDbtInd>, as the balance moves: also for a reversal, whose
    indicator is its own direction and not that of the line it takes back."""
    amount = _amount(element.needed("Amt"), currency)
    indicator = element.needed("CdtDbtInd")
    if indicator.text.strip() not in {"CRDT", "DBIT"}:
        raise StatementRefused(
            f"<CdtDbtInd> is “{indicator.text.strip()[:20]}” and must be CRDT or DBIT.",
            line=indicator.line,
        )
    return amount if indicator.text.strip() == "CRDT" else -amount


def _amount(element: Element, currency: str) -> Money:
    stated, figure = element.attributes.get("Ccy", currency), element.text.strip()
    if not _AMOUNT.fullmatch(figure):
        raise StatementRefused(
            f"<Amt> is “{figure[:30]}”, which is no amount such as 1250.50.", line=element.line
        )
    if stated not in EXPONENT:
        raise StatementRefused(
            f"<Amt> is in {stated[:10]}, which the ledger does not know.", line=element.line
        )
    minor = Decimal(figure).scaleb(EXPONENT[stated])
    if minor != minor.to_integral_value():
        raise StatementRefused(
            f"<Amt> is {figure} and {stated} has {EXPONENT[stated]} decimal places.",
            line=element.line,
        )
    return Money(int(minor), stated)


def _day(element: Element) -> date:
    """The day in <Dt>, <DtTm>, or in the element itself; the bank's own calendar day."""
    text = (element.words("Dt") or element.words("DtTm") or element.text).strip()
    try:
        if _DAY.fullmatch(text[:10]):
            return date.fromisoformat(text[:10])
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise StatementRefused(
            f"<{element.name}> is “{text[:30]}”, which is no day such as 2026-05-03.",
            line=element.line,
        ) from None


def _entries(entry: Element, currency: str) -> list[ParsedEntry]:
    """A line; or the parts of a batch, where they are stated and sum to it exactly."""
    amount = _signed(entry, currency)
    booked = entry.first("BookgDt") or entry.first("ValDt")
    if booked is None:
        raise StatementRefused("An entry has no booking date.", line=entry.line)
    value = entry.first("ValDt")
    whole = ParsedEntry(
        amount=amount,
        booked_on=_day(booked),
        value_on=_day(value) if value else None,
        bank_reference=entry.words("AcctSvcrRef") or entry.words("NtryRef"),
        code=_code(entry),
        reversal=entry.words("RvslInd") in {"true", "1"},
        charges=_charges(entry, currency),
        text=entry.words("AddtlNtryInf"),
        line=entry.line,
    )
    parts = list(entry.all("NtryDtls", "TxDtls"))
    if not parts:
        return [whole]
    if len(parts) == 1:
        return [replace(_part(parts[0], whole, currency), amount=amount)]
    made = [_part(each, whole, currency) for each in parts]
    # A batch whose parts do not say their amounts, or sum to another one, stays one line.
    if total((each.amount for each in made), currency) != amount:
        return [whole]
    return [
        replace(each, bank_reference=f"{each.bank_reference}#{at}" if each.bank_reference else "")
        for at, each in enumerate(made, start=1)
    ]


def _part(part: Element, whole: ParsedEntry, currency: str) -> ParsedEntry:
    """One transaction of a line, with what the line says where it says nothing itself."""
    incoming = whole.amount.minor >= 0
    stated = part.words("CdtDbtInd")
    if stated:
        incoming = stated == "CRDT"
    other, account = ("Dbtr", "DbtrAcct") if incoming else ("Cdtr", "CdtrAcct")
    people = part.first("RltdPties")
    remittance = [each.text.strip() for each in part.all("RmtInf", "Ustrd")]
    remittance += [each.text.strip() for each in part.all("RmtInf", "Strd", "CdtrRefInf", "Ref")]
    remittance += [part.words("AddtlTxInf"), whole.text]
    figure = part.first("Amt") or part.first("AmtDtls", "TxAmt", "Amt")
    amount = _amount(figure, currency) if figure else zero(currency)
    if amount.currency != currency:
        amount = zero(currency)  # Stated in the payer's currency: it cannot split this account's.
    end_to_end = part.words("Refs", "EndToEndId")
    return replace(
        whole,
        amount=amount if incoming else -amount,
        bank_reference=part.words("Refs", "AcctSvcrRef") or whole.bank_reference,
        end_to_end="" if end_to_end == "NOTPROVIDED" else end_to_end,
        payment_id=part.words("Refs", "TxId") or part.words("Refs", "InstrId"),
        return_reason=part.words("RtrInf", "Rsn", "Cd") or part.words("RtrInf", "Rsn", "Prtry"),
        charges=_charges(part, currency) or whole.charges,
        counterparty=_name(people, other) if people else "",
        counterparty_account=_number(people, account) if people else "",
        text=" ".join(each for each in remittance if each),
        line=part.line,
    )


def _name(people: Element, role: str) -> str:
    return people.words(role, "Nm") or people.words(role, "Pty", "Nm")


def _number(people: Element, role: str) -> str:
    return people.words(role, "Id", "IBAN") or people.words(role, "Id", "Othr", "Id")


def _code(entry: Element) -> str:
    """Such as `PMNT/RCDT/ESCT`, or the bank's own."""
    domain = entry.first("BkTxCd", "Domn")
    if domain is None:
        return entry.words("BkTxCd", "Prtry", "Cd")
    family = [domain.words("Fmly", "Cd"), domain.words("Fmly", "SubFmlyCd")]
    return "/".join(each for each in (domain.words("Cd"), *family) if each)


def _charges(element: Element, currency: str) -> Money | None:
    """What the bank says it kept; both ways in which the versions write it."""
    stated = element.first("Chrgs", "TtlChrgsAndTaxAmt")
    if stated is not None:
        amount = _amount(stated, currency)
        return amount if amount.currency == currency else None
    found = [*element.all("Chrgs", "Rcrd", "Amt"), *element.all("Chrgs", "Amt")]
    amounts = [_amount(one, currency) for one in found]
    kept = [each for each in amounts if each.currency == currency]
    return total(kept, currency) if kept else None
