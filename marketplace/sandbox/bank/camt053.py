"""camt.053.001.08, as a European bank writes it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from marketplace.sandbox.bank.form import Booked, Statement, figure

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_FAMILY = {
    "wire": ("RCDT", "XBCT"),
    "payout": ("RCDT", "DMCT"),
    "transfer": ("ICDT", "DMCT"),
    "return": ("ICDT", "RRTN"),
    "fee": ("MDOP", "CHRG"),
}


def write(statements: Sequence[Statement]) -> str:
    """The document, with one Stmt for each day."""
    root = Xml.Element("Document", {"xmlns": NAMESPACE})
    whole = Xml.SubElement(root, "BkToCstmrStmt")
    header = Xml.SubElement(whole, "GrpHdr")
    last = statements[-1] if statements else None
    _text(header, "MsgId", f"SANDBOX-{last.on:%Y%m%d}-{last.number}" if last else "SANDBOX-EMPTY")
    _text(header, "CreDtTm", f"{last.on:%Y-%m-%d}T23:59:59Z" if last else "1970-01-01T00:00:00Z")
    for statement in statements:
        _statement(whole, statement)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode")


def _text(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    child = Xml.SubElement(parent, name)
    child.text = text
    return child


def _amount(parent: Xml.Element, amount: int, currency: str, name: str = "Amt") -> None:
    _text(parent, name, figure(amount, currency)).set("Ccy", currency.upper())


def _sign(parent: Xml.Element, amount: int) -> None:
    _text(parent, "CdtDbtInd", "DBIT" if amount < 0 else "CRDT")


def _statement(parent: Xml.Element, statement: Statement) -> None:
    made = Xml.SubElement(parent, "Stmt")
    _text(made, "Id", f"{statement.account}-{statement.number}")
    _text(made, "ElctrncSeqNb", str(statement.number))
    _text(made, "LglSeqNb", str(statement.number))
    _text(made, "CreDtTm", f"{statement.on:%Y-%m-%d}T23:59:59Z")
    period = Xml.SubElement(made, "FrToDt")
    _text(period, "FrDtTm", f"{statement.on:%Y-%m-%d}T00:00:00Z")
    _text(period, "ToDtTm", f"{statement.on:%Y-%m-%d}T23:59:59Z")
    account = Xml.SubElement(made, "Acct")
    name = Xml.SubElement(account, "Id")
    if statement.account.startswith("DE"):
        _text(name, "IBAN", statement.account)
    else:
        _text(Xml.SubElement(name, "Othr"), "Id", statement.account)
    _text(account, "Ccy", statement.currency.upper())
    for code, amount in (("OPBD", statement.opening), ("CLBD", statement.closing)):
        _balance(made, code, amount, statement)
    for line in statement.lines:
        _entry(made, line, statement.currency)


def _balance(parent: Xml.Element, code: str, amount: int, statement: Statement) -> None:
    balance = Xml.SubElement(parent, "Bal")
    _text(Xml.SubElement(Xml.SubElement(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, amount, statement.currency)
    _sign(balance, amount)
    _text(Xml.SubElement(balance, "Dt"), "Dt", f"{statement.on:%Y-%m-%d}")


def _entry(parent: Xml.Element, line: Booked, currency: str) -> None:
    entry = Xml.SubElement(parent, "Ntry")
    _text(entry, "NtryRef", str(line.number))
    _amount(entry, line.amount, currency)
    _sign(entry, line.amount)
    _text(Xml.SubElement(entry, "Sts"), "Cd", "BOOK")
    _text(Xml.SubElement(entry, "BookgDt"), "Dt", f"{line.booked_on:%Y-%m-%d}")
    _text(Xml.SubElement(entry, "ValDt"), "Dt", f"{line.value_on:%Y-%m-%d}")
    _text(entry, "AcctSvcrRef", line.bank_reference)
    family, sub_family = _FAMILY[line.kind]
    domain = Xml.SubElement(Xml.SubElement(entry, "BkTxCd"), "Domn")
    _text(domain, "Cd", "PMNT")
    names = Xml.SubElement(domain, "Fmly")
    _text(names, "Cd", family)
    _text(names, "SubFmlyCd", sub_family)
    _details(Xml.SubElement(Xml.SubElement(entry, "NtryDtls"), "TxDtls"), line, currency)


def _details(parent: Xml.Element, line: Booked, currency: str) -> None:
    references = Xml.SubElement(parent, "Refs")
    _text(references, "AcctSvcrRef", line.bank_reference)
    _text(references, "EndToEndId", "NOTPROVIDED")
    _amount(parent, line.amount, currency)
    _sign(parent, line.amount)
    if line.charges:
        charged = Xml.SubElement(parent, "Chrgs")
        record = Xml.SubElement(charged, "Rcrd")
        _amount(record, line.charges, currency)
        _text(record, "CdtDbtInd", "DBIT")
        _text(record, "ChrgInclInd", "true")
    other = "Cdtr" if line.amount < 0 else "Dbtr"
    party = Xml.SubElement(Xml.SubElement(Xml.SubElement(parent, "RltdPties"), other), "Pty")
    _text(party, "Nm", line.counterparty)
    _text(Xml.SubElement(parent, "RmtInf"), "Ustrd", line.reference)
