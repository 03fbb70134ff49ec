"""SWIFT MT940: a bank's statements in text; read by the `mt-940` library, believed only by proof.

The library parses; it checks no balance, knows no page, and names no line. All that is done here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import mt940

from marketplace.money import EXPONENT, Money
from marketplace.reconciliation.rules.statements import (
    ParsedEntry,
    ParsedStatement,
    StatementRefused,
    all_proven,
    checked_size,
)

_TAG = re.compile(r":(\d{2}[A-Z]?):")
_NUMBER = re.compile(r"(\d{1,5})(?:/(\d{1,5}))?")
_RETURN = re.compile(r"RTRN|RETURN|REJECT|RÜCK", re.IGNORECASE)
_RETURN_CODE = re.compile(r"\b(A[CGM]\d\d|M[DS]\d\d|RR\d\d|FF\d\d|BE\d\d)\b")
_E2E = re.compile(
    r"(?:/EREF/|EREF\+|/ROC/|EndToEndId:)([A-Za-z0-9+?.:()' -]{1,35}?)(?=/|\?|\+|$|\s)"
)
OPTIONS = mt940.Options.all()
# A reversal of a credit takes money away, and of a debit gives it back.
SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1}


def read(content: bytes) -> tuple[ParsedStatement, ...]:
    """Every statement of the file, proven, its pages put together; StatementRefused otherwise."""
    text = _text(checked_size(content))
    pages = [_page(block) for block in _blocks(text)]
    return all_proven([_together(group) for group in _grouped(pages)])


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one `:20:` to the next; lines: each with its number in the file."""

    begins: int
    lines: tuple[tuple[int, str], ...]

    def tags(self, *wanted: str) -> list[tuple[int, str]]:
        """Each line that begins with one of these tags: its number, and what follows the tag."""
        return [
            (number, line.partition(":")[2].partition(":")[2])
            for number, line in self.lines
            if (found := _TAG.match(line)) and found[1] in wanted
        ]


@dataclass(frozen=True, slots=True)
class _Page:
    block: _Block
    account: str
    number: int | None
    page: int
    opening: tuple[Money, date]
    closing: tuple[Money, date]
    begins: bool
    ends: bool
    entries: tuple[ParsedEntry, ...]


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return content.decode("iso-8859-1").replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> Iterator[_Block]:
    open_lines: list[tuple[int, str]] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        # SWIFT's envelope may stand before the first tag: {1:…}{2:…}{4:
        line = raw.rpartition("{4:")[2] if raw.startswith("{") else raw
        if line.startswith(":20:"):
            if open_lines:
                yield _Block(open_lines[0][0], tuple(open_lines))
            open_lines = [(number, line)]
        elif open_lines:
            if line.strip() in {"-", "-}"} or line.startswith("-}"):
                yield _Block(open_lines[0][0], tuple(open_lines))
                open_lines = []
            else:
                open_lines.append((number, line))
        elif line.strip(" -}\x03\x00"):
            raise StatementRefused(
                "A statement begins with :20:, and this does not. Choose the bank's MT940 export.",
                line=number,
            )
    if open_lines:
        yield _Block(open_lines[0][0], tuple(open_lines))


def _page(block: _Block) -> _Page:
    for tags, name in (
        (("25", "25P"), ":25: (account)"),
        (("60F", "60M"), ":60F: (opening balance)"),
        (("62F", "62M"), ":62F: (closing balance)"),
    ):
        if len(block.tags(*tags)) != 1:
            count = "no" if not block.tags(*tags) else "more than one"
            raise StatementRefused(
                f"This statement has {count} {name}. The file may be cut short; export it again.",
                line=block.begins,
            )
    found = _parsed(block)
    opening, closing = _balance(block, "60"), _balance(block, "62")
    numbered = _NUMBER.match((block.tags("28C", "28") or [(0, "")])[0][1])
    return _Page(
        block=block,
        account=block.tags("25", "25P")[0][1].strip(),
        number=int(numbered[1]) if numbered else None,
        page=int(numbered[2] or 1) if numbered else 1,
        opening=opening,
        closing=closing,
        begins=bool(block.tags("60F")),
        ends=bool(block.tags("62F")),
        entries=_entries(block, found, opening[0].currency),
    )


def _parsed(block: _Block) -> list[Mapping[str, Any]]:
    """What the library makes of a block's lines, one mapping for each `:61:`."""
    try:
        # A handle: a plain text that happens to name a file would be opened.
        made = mt940.parse(io.StringIO("\n".join(line for _, line in block.lines)), options=OPTIONS)
        return [each.data for each in made]
    except (RuntimeError, ValueError, TypeError, InvalidOperation, AssertionError) as broken:
        raise StatementRefused(
            f"A field of this statement is not as MT940 has it ({str(broken)[:120]}). Ask the "
            "bank for the file again.",
            line=block.begins,
        ) from None


def _entries(
    block: _Block, found: Sequence[Mapping[str, Any]], currency: str
) -> tuple[ParsedEntry, ...]:
    stands = block.tags("61")
    # The library passes over what it cannot read, and a line passed over is money lost.
    if len(stands) != len([each for each in found if each.get("amount") is not None]):
        raise StatementRefused(
            f"{len(stands)} lines (:61:) stand here and {len(found)} can be read. Ask the bank "
            "for the file again.",
            line=stands[0][0] if stands else block.begins,
        )
    return tuple(
        _entry(each, line, currency) for each, (line, _) in zip(found, stands, strict=True)
    )


def _entry(read_line: Mapping[str, Any], line: int, currency: str) -> ParsedEntry:
    mark = str(read_line.get("status") or "").upper()
    if mark not in SIGNS:
        raise StatementRefused(f":61: is marked “{mark}” and must be C, D, RC or RD.", line=line)
    amount = _money(abs(read_line["amount"].amount), currency, line)
    value_on = _day(read_line.get("date"), line)
    text = " ".join(
        str(read_line.get(name)).replace("\n", " ")
        for name in ("transaction_details", "posting_text", "purpose", "extra_details")
        if read_line.get(name)
    )
    end_to_end = str(read_line.get("end_to_end_reference") or "").strip() or _end_to_end(text)
    customer = str(read_line.get("customer_reference") or "").strip()
    returned = _RETURN_CODE.search(text) if _RETURN.search(text) or "RTI" in text else None
    return ParsedEntry(
        amount=amount * SIGNS[mark],
        booked_on=_day(read_line.get("entry_date") or value_on, line),
        value_on=value_on,
        bank_reference=str(read_line.get("bank_reference") or "").strip(),
        end_to_end="" if end_to_end in {"NOTPROVIDED", "NONREF"} else end_to_end,
        payment_id="" if customer in {"NONREF", "NOTPROVIDED"} else customer,
        code=str(read_line.get("id") or "").strip(),
        reversal=mark.startswith("R"),
        return_reason=returned[1] if returned else "",
        counterparty=str(read_line.get("applicant_name") or "").strip(),
        counterparty_account=str(
            read_line.get("applicant_iban") or read_line.get("gvc_applicant_iban") or ""
        ).strip(),
        text=" ".join(text.split()),
        line=line,
    )


def _end_to_end(text: str) -> str:
    found = _E2E.search(text)
    return found[1].strip() if found else ""


def _balance(block: _Block, tag: str) -> tuple[Money, date]:
    """A balance and its day, read by us: `C260501USD1000,00`."""
    line, written = block.tags(f"{tag}F", f"{tag}M")[0]
    found = re.fullmatch(r"([CD])(\d{6})([A-Z]{3})([\d,.]{1,16})", written.strip())
    if found is None:
        raise StatementRefused(
            f"“{written.strip()[:40]}” is no balance such as C260501USD1000,00.", line=line
        )
    if found[3] not in EXPONENT:
        raise StatementRefused(
            f"The balance is in {found[3]}, which the ledger does not know.", line=line
        )
    try:
        figure = Decimal(found[4].replace(",", "."))
        on = date(2000 + int(found[2][:2]), int(found[2][2:4]), int(found[2][4:]))
    except (InvalidOperation, ValueError):
        raise StatementRefused(
            f"“{written.strip()[:40]}” is no balance such as C260501USD1000,00.", line=line
        ) from None
    amount = _money(figure, found[3], line)
    return (amount if found[1] == "C" else -amount), on


def _money(figure: Decimal, currency: str, line: int) -> Money:
    minor = figure.scaleb(EXPONENT[currency])
    if minor != minor.to_integral_value():
        raise StatementRefused(
            f"{figure} has more decimals than {currency}, which has {EXPONENT[currency]}.",
            line=line,
        )
    return Money(int(minor), currency)


def _day(found: object, line: int) -> date:
    if not isinstance(found, date):
        raise StatementRefused(":61: has no day.", line=line)
    return date(found.year, found.month, found.day)


def _grouped(pages: Sequence[_Page]) -> Iterator[list[_Page]]:
    """Pages of one statement, which run from an `F` opening to an `F` closing balance."""
    group: list[_Page] = []
    for page in pages:
        if page.begins == bool(group):
            raise StatementRefused(
                "This page continues a statement whose earlier page is not in the file, or begins "
                "one before the other has ended. Put all pages into one file, in their order.",
                line=page.block.begins,
            )
        if group and (
            page.account != group[0].account
            or page.number != group[0].number
            or page.page != group[-1].page + 1
            or page.opening[0] != group[-1].closing[0]
        ):
            raise StatementRefused(
                f"This page does not follow page {group[-1].page} of statement {group[0].number}: "
                "number, account or balance differ. Put all pages into one file, in their order.",
                line=page.block.begins,
            )
        group.append(page)
        if page.ends:
            yield group
            group = []
    if group:
        raise StatementRefused(
            f"The file ends with page {group[-1].page} of statement {group[0].number}, which is "
            "not its last. Ask the bank for the whole file.",
            line=group[-1].block.begins,
        )


def _together(pages: Sequence[_Page]) -> ParsedStatement:
    first, last = pages[0], pages[-1]
    entries = tuple(entry for page in pages for entry in page.entries)
    booked = [entry.booked_on for entry in entries]
    return ParsedStatement(
        account=first.account,
        opening=first.opening[0],
        closing=last.closing[0],
        # Most banks give the opening balance the day of the statement before.
        from_on=min([last.closing[1], *booked]),
        to_on=max([last.closing[1], *booked]),
        entries=entries,
        number=str(first.number or ""),
        sequence=first.number,
        pages=len(pages),
        variant="mt940",
    )
