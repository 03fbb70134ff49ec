"""The close pack: one ZIP, the same bytes each time that it is made from a closed month."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import IO, Any

from sqlalchemy.orm import Session

from marketplace import documents
from marketplace.actor import SYSTEM
from marketplace.ledger import queries as book
from marketplace.money import Money
from marketplace.reconciliation.models import MonthClose
from marketplace.reconciliation.queries import closing
from marketplace.reconciliation.queries.closing import Rolled
from marketplace.reconciliation.rules.closing import last_day
from marketplace.reconciliation.service.printing import printed

# The date of every file in the archive, so that it says nothing about when it was made.
_STAMP = (1980, 1, 1, 0, 0, 0)
_KEPT = 0o644 << 16
ROLLED_HEAD = ("account", "kind", "currency", "opening", "debits", "credits", "closing")
TRIAL_HEAD = ("account", "kind", "currency", "debit", "credit")
ENTRY_HEAD = (
    "number", "transaction_id", "source_kind", "source_id", "balance_transaction_id",
    "happened_on", "effective_on", "posted_at", "leg", "account", "currency", "debit", "credit",
)  # fmt: skip
CHECK_HEAD = ("code", "label", "ok", "said", "missing")


@dataclass(slots=True)
class _Archive:
    """A ZIP in the making, with the hashes of what is in it."""

    zip: zipfile.ZipFile
    hashes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write one file from pieces, however long it is."""
        entry = zipfile.ZipInfo(name, _STAMP)
        entry.external_attr, entry.compress_type = _KEPT, zipfile.ZIP_DEFLATED
        entry.create_system = 3
        digest, size = hashlib.sha256(), 0
        with self.zip.open(entry, "w", force_zip64=True) as out:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                out.write(piece)
        self.hashes[name] = {"sha256": digest.hexdigest(), "bytes": size}


def write_pack(session: Session, close: MonthClose, out: IO[bytes]) -> None:
    """Write the pack of a close; it depends on the close's facts and the book up to its head."""
    number = close.facts["head"]["number"]
    rows = list(closing.rolled(session, close.month, number))
    controls = closing.by_control_account(rows)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        archive = _Archive(packed)
        archive.add("close-pack.pdf", [documents.pdf("plain", printed(close, controls))])
        archive.add("trial-balance.csv", _csv(TRIAL_HEAD, map(_trial_cells, rows)))
        archive.add("roll-forwards.csv", _csv(ROLLED_HEAD, map(_rolled_cells, controls)))
        archive.add("accounts.csv", _csv(ROLLED_HEAD, map(_rolled_cells, rows)))
        archive.add("entries.csv", _csv(ENTRY_HEAD, _entries(session, close, number)))
        archive.add("checklist.csv", _csv(CHECK_HEAD, _check_cells(close)))
        for name in ("breaks", "approvals", "late", "reopenings"):
            archive.add(f"{name}.csv", _facts_csv(close.facts[name]))
        archive.add("ledger.beancount", _beancount(session, close, number))
        manifest = _manifest(close, archive.hashes)
        archive.add("manifest.json", [json.dumps(manifest, indent=2, sort_keys=True).encode()])


def _manifest(close: MonthClose, hashes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "month": f"{close.month:%Y-%m}",
        "round": close.round,
        "closed_at": close.closed_at.astimezone(UTC).isoformat(),
        "closed_by": str(close.closed_by),
        "book_timezone": close.facts["zone"],
        "hash_chain_head": close.facts["head"],
        "files": dict(hashes),
    }


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    yield _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def _facts_csv(facts: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    head = sorted({name for each in facts for name in each})
    return _csv(head, ([each.get(name, "") for name in head] for each in facts))


def _figure(amount: Money) -> str:
    return f"{amount.decimal():f}"


def _columns(amount: Money) -> tuple[str, str]:
    """A figure in the column of its sign, debits first."""
    return (_figure(amount), "") if amount.minor >= 0 else ("", _figure(-amount))


def _trial_cells(row: Rolled) -> tuple[str, ...]:
    return row.code, row.kind.value, row.opening.currency, *_columns(row.closing)


def _rolled_cells(row: Rolled) -> tuple[str, ...]:
    figures = map(_figure, (row.opening, row.debits, row.credits, row.closing))
    return row.code, row.kind.value, row.opening.currency, *figures


def _check_cells(close: MonthClose) -> Iterator[tuple[str, ...]]:
    for check in close.facts["checklist"]:
        ok = "yes" if check["ok"] else "no"
        yield check["code"], check["label"], ok, check["said"], " ".join(check["missing"])


def _entries(session: Session, close: MonthClose, number: int) -> Iterator[tuple[object, ...]]:
    for row in closing.entries_of_month(session, close.month, number):
        yield (
            row.number,
            row.id,
            row.source_kind.value,
            row.source_id,
            row.balance_transaction_id or "",
            row.happened_on,
            row.effective_on,
            row.posted_at.astimezone(UTC).isoformat(),
            row.leg,
            row.code,
            row.currency,
            *_columns(Money(row.amount, row.currency)),
        )


def _beancount(session: Session, close: MonthClose, number: int) -> Iterator[bytes]:
    through = last_day(close.month)
    for line in book.beancount(session, SYSTEM, through=through, number_max=number):
        yield line.encode() + b"\n"
