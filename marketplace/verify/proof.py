"""Reading a proof: JSON lines, packed with gzip.

    {"marketplace_proof": 1, …}                                 what it is of
    ["event", number, id, kind, subject, at, facts, link, salt] the job's chain, link by link
    ["head", day, number, hash, key_id, signature]              its head as it was kept on a day
    ["file", name, unit], then ["digests", …] of its lines      what was written
    {"statement": {…}, "signature": …, "public_key": …}         what the platform signed

Links are hexadecimal; salts, digests, keys and signatures URL-safe base64. The salt stands only
where an envelope is exported: left out elsewhere, null once the author is erased.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marketplace.verify.chain import Chain
from marketplace.verify.files import UNREADABLE, Opened
from marketplace.verify.keys import is_signed, key_id, unpacked
from marketplace.verify.lines import Digests
from marketplace.verify.report import CannotCheck, Kind, Report
from marketplace.verify.seal import DIGEST_BYTES, signed_bytes
from marketplace.verify.store import HandedIn, Store

VERSION = 1
LINE_MAX = 1 << 24  # Bytes of a line of a proof; honest ones have some thousand.
# Lines that a proof may list in all: their digests lie in memory, and a bomb has any number.
LINES_MAX = 20_000_000
NUMBER_MAX = 2**62
EXPORT, HEAD = "export", "day head"  # What signatures are for.


@dataclass(slots=True)
class Proof:
    """What a proof says. lines: the digests of each file's lines, with the unit they are of."""

    statement: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, tuple[str, Digests]] = field(default_factory=dict)
    opens: bool = False  # Whether salts stand in it.


class Reader:
    """Reads a proof once, from its beginning to its end, and tells what is wrong with it."""

    def __init__(
        self, name: str, store: Store, report: Report, keys: Mapping[str, bytes] | None
    ) -> None:
        self._name, self._store, self._report = name, store, report
        self._keys = keys
        self._proof, self._chain = Proof(), Chain()
        self._digests, self._listed = Digests(), 0
        self._header: dict[str, Any] = {}
        self._behind = 0

    def read(self, opened: Opened) -> Proof:
        """The proof; CannotCheck where it is none, or one of a later version."""
        for number, entry in enumerate(_entries(opened)):
            if self._proof.statement:
                self._behind += 1
                continue
            try:
                self._take(number, entry)
            except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
                says = f"Line {number + 1} of the proof cannot be read."
                if number == 0:
                    raise CannotCheck(f"{self._name} is no proof of an export.") from wrong
                self._report.add(Kind.ALTERED, self._name, says, number + 1)
        if self._behind:
            says = f"{self._behind} lines of the proof stand behind what was signed."
            self._report.add(Kind.ADDED, self._name, says)
        if not self._proof.statement:
            self._report.add(
                Kind.UNSIGNED, self._name, "The proof breaks off before what was signed."
            )
        self._report.statement = self._proof.statement
        self._report.chain_holds = self._report.ok
        return self._proof

    def _take(self, number: int, entry: Any) -> None:
        if number == 0:
            if entry["marketplace_proof"] != VERSION:
                raise CannotCheck("This proof is of a later version: install a newer marketplace.")
            self._header = {**entry, "job_id": _text(entry["job_id"])}
        elif isinstance(entry, dict):
            self._sign_off(entry)
        elif entry[0] == "event":
            self._event(entry)
        elif entry[0] == "head":
            _, day, reached, head, signer, signature = entry
            found = (day, _number(reached), bytes.fromhex(head), signer, unpacked(signature))
            self._head(*found)
        elif entry[0] == "file":
            self._digests = Digests()
            self._proof.lines[_text(entry[1])] = _text(entry[2]), self._digests
        elif entry[0] == "digests":
            self._list(unpacked(entry[1]))
        else:
            raise ValueError(entry[0])

    def _list(self, digests: bytes) -> None:
        self._listed += len(digests) // DIGEST_BYTES
        if self._listed > LINES_MAX:
            raise CannotCheck(f"The proof lists more than {LINES_MAX:,} lines, or pretends to.")
        self._digests.add(digests)

    def _event(self, entry: list[Any]) -> None:
        _, number, id_, kind, subject, at, facts, link, *salt = entry
        event = {
            "number": _number(number),
            "id": id_,
            "kind": kind,
            "subject_id": subject,
            "facts": facts,
            "announced_at": datetime.fromisoformat(at).astimezone(UTC).isoformat(),
        }
        self._report.events += 1
        for found, where, says in self._chain.follow(event, bytes.fromhex(link)):
            self._report.add(found, self._name, says, where)
        commitment = bytes.fromhex(facts["commitment"]) if "commitment" in facts else None
        if kind == "task.submitted":
            opened = unpacked(salt[0]) if salt and salt[0] is not None else None
            self._proof.opens = self._proof.opens or bool(salt)
            self._store.hand_in(_text(subject), HandedIn(number, commitment, opened))
        elif commitment is not None and "decision_id" in facts:
            self._store.verdict(_text(facts["decision_id"]), number, commitment)

    def _head(self, day: str, number: int, head: bytes, signer: str, signature: bytes) -> None:
        """Heads stand right behind the event that they are the link of."""
        self._report.heads += 1
        if (number, head) != (self._chain.at, self._chain.head):
            says = f"The head that was kept on {day} is not the link of event {number}."
            self._report.add(Kind.ALTERED, self._name, says, number)
        key = (self._keys or {}).get(signer)
        if key is None:
            return
        self._report.heads_signed += 1
        statement = head_statement(f"job:{self._header['job_id']}", day, number, head)
        if not is_signed(key, signature, signed_bytes(HEAD, statement)):
            says = f"The signature of the head of {day} does not fit."
            self._report.add(Kind.UNSIGNED, self._name, says, number)

    def _sign_off(self, entry: dict[str, Any]) -> None:
        statement = _shaped(entry["statement"])
        number, head = statement["as_of_event"], bytes.fromhex(statement["head"])
        self._check_signature(statement, entry)
        self._proof.statement = statement
        for kind, where, says in self._chain.ended(number, head):
            self._report.add(kind, self._name, says, where)
        for name, stated in statement.items():
            if name in self._header and self._header[name] != stated:
                says = f"The proof's first line names another {name} than what was signed."
                self._report.add(Kind.ALTERED, self._name, says, 1)
        for each in statement["files"]:
            unit, digests = self._proof.lines.get(each["name"], (each["unit"], Digests()))
            listed = unit, hashlib.sha256(digests.packed).hexdigest()
            if listed != (each["unit"], each["lines_sha256"]):
                says = f"The proof's list of the lines of {each['name']} was altered."
                self._report.add(Kind.ALTERED, self._name, says)

    def _check_signature(self, statement: dict[str, Any], entry: dict[str, Any]) -> None:
        report, public = self._report, unpacked(entry["public_key"])
        signer, signature = key_id(public), unpacked(entry["signature"])
        report.signed_by = signer
        # The key itself, not only its short name, which somebody might find another key for.
        report.trusted = (self._keys or {}).get(signer) == public
        if self._keys is not None and not report.trusted:
            says = f"It was signed with the key {signer}, which is none of those you gave."
            report.add(Kind.UNSIGNED, self._name, says)
        elif not is_signed(public, signature, signed_bytes(EXPORT, statement)):
            report.add(Kind.UNSIGNED, self._name, "The signature does not fit what was signed.")


def _shaped(statement: Any) -> dict[str, Any]:
    """What was signed, if it has the shape of a statement; TypeError or LookupError else."""
    _number(statement["as_of_event"], least=0)
    for each in statement["files"]:
        for name in ("name", "unit", "sha256", "lines_sha256"):
            _text(each[name])
    return dict(statement)


def _text(value: Any) -> str:
    """A text that can be written; TypeError or ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError("no text")
    value.encode()
    return value


def _number(value: Any, *, least: int = 1) -> int:
    """A whole number as events have it; ValueError for anything else."""
    if type(value) is not int or not least <= value <= NUMBER_MAX:
        raise ValueError("no number of an event")
    return value


def head_statement(scope: str, day: str, number: int, head: bytes) -> dict[str, Any]:
    """What is signed of the head of a chain that is kept on a day."""
    return {"scope": scope, "day": day, "number": number, "hash": head.hex()}


def _entries(opened: Opened) -> Iterator[Any]:
    try:
        with opened() as file, gzip.GzipFile(fileobj=file) as lines:
            while line := lines.readline(LINE_MAX):
                if len(line) == LINE_MAX:
                    raise CannotCheck("A line of the proof is far too long: it is none of ours.")
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                yield entry
    except UNREADABLE as wrong:
        raise CannotCheck(
            "The proof cannot be read: it was cut off or altered. Download it again."
        ) from wrong
