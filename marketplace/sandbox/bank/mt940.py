"""MT940, the older form that many banks still send."""

from __future__ import annotations

import re
from collections.abc import Sequence

from marketplace.sandbox.bank.form import Booked, Statement, figure

# What SWIFT's character set X holds; anything else becomes a full stop, as banks do.
_FOREIGN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_LINE = 65


def write(statements: Sequence[Statement]) -> str:
    """The messages, one for each day."""
    return "".join(_message(statement) for statement in statements)


def _message(statement: Statement) -> str:
    lines = [
        f":20:SBX{statement.on:%y%m%d}",
        f":25:{statement.account}",
        f":28C:{statement.number}/1",
        f":60F:{_balance(statement, statement.opening)}",
    ]
    for line in statement.lines:
        lines.extend(_entry(line, statement.currency))
    lines.append(f":62F:{_balance(statement, statement.closing)}")
    return "\r\n".join([*lines, "-", ""])


def _balance(statement: Statement, amount: int) -> str:
    sign = "D" if amount < 0 else "C"
    return f"{sign}{statement.on:%y%m%d}{statement.currency.upper()}{_figure(amount, statement)}"


def _figure(amount: int, statement: Statement) -> str:
    return _comma(amount, statement.currency)


def _comma(amount: int, currency: str) -> str:
    text = figure(amount, currency, ",")
    return text if "," in text else f"{text},"


def _entry(line: Booked, currency: str) -> list[str]:
    sign = "D" if line.amount < 0 else "C"
    kind = "NCHG" if line.kind == "fee" else "NRTI" if line.kind == "return" else "NTRF"
    said = _FOREIGN.sub(".", f"{line.reference} {line.counterparty}")
    if line.charges:
        said += f" CHARGES {_comma(line.charges, currency)}"
    parts = [said[at : at + _LINE] for at in range(0, len(said), _LINE)]
    return [
        f":61:{line.value_on:%y%m%d}{line.booked_on:%m%d}{sign}{_comma(line.amount, currency)}"
        f"{kind}NONREF//{line.bank_reference}",
        f":86:{parts[0]}",
        *parts[1:],
    ]
