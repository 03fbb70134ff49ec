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
from marketplace.verify.seal import signed_bytes
from marketplace.verify.store import HandedIn, Store

VERSION = 1
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
        self._digests = Digests()
        self._job = ""

    def read(self, opened: Opened) -> Proof:
        """The proof; CannotCheck where it is none, or one of a later version."""
        for number, entry in enumerate(_entries(opened)):
            try:
                self._take(number, entry)
            except (LookupError, TypeError, ValueError, AttributeError) as wrong:
                says = f"Line {number + 1} of the proof cannot be read."
                if number == 0:
                    raise CannotCheck(f"{self._name} is no proof of an export.") from wrong
                self._report.add(Kind.ALTERED, self._name, says, number + 1)
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
            self._job = entry["job_id"]
        elif isinstance(entry, dict):
            self._sign_off(entry)
        elif entry[0] == "event":
            self._event(entry)
        elif entry[0] == "head":
            _, day, reached, head, signer, signature = entry
            found = (day, reached, bytes.fromhex(head), signer, unpacked(signature))
            self._head(*found)
        elif entry[0] == "file":
            self._digests = Digests()
            self._proof.lines[entry[1]] = entry[2], self._digests
        elif entry[0] == "digests":
            self._digests.add(unpacked(entry[1]))
        else:
            raise ValueError(entry[0])

    def _event(self, entry: list[Any]) -> None:
        _, number, id_, kind, subject, at, facts, link, *salt = entry
        event = {
            "number": int(number),
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
            self._store.hand_in(subject, HandedIn(int(number), commitment, opened))
        elif commitment is not None and "decision_id" in facts:
            self._store.verdict(facts["decision_id"], int(number), commitment)

    def _head(self, day: str, number: int, head: bytes, signer: str, signature: bytes) -> None:
        """Heads stand right behind the event that they are the link of."""
        self._report.heads += 1
        if number == self._chain.at and head != self._chain.head:
            says = f"The head that was kept on {day} is not the link of event {number}."
            self._report.add(Kind.ALTERED, self._name, says, number)
        key = (self._keys or {}).get(signer)
        statement = head_statement(f"job:{self._job}", day, number, head)
        if key is not None and not is_signed(key, signature, signed_bytes(HEAD, statement)):
            says = f"The signature of the head of {day} does not fit."
            self._report.add(Kind.UNSIGNED, self._name, says, number)

    def _sign_off(self, entry: dict[str, Any]) -> None:
        statement = entry["statement"]
        self._proof.statement = statement
        ended = self._chain.ended(statement["as_of_event"], bytes.fromhex(statement["head"]))
        for kind, where, says in ended:
            self._report.add(kind, self._name, says, where)
        for each in statement["files"]:
            _, digests = self._proof.lines.get(each["name"], ("", Digests()))
            if hashlib.sha256(digests.packed).hexdigest() != each["lines_sha256"]:
                says = f"The proof's list of the lines of {each['name']} was altered."
                self._report.add(Kind.ALTERED, self._name, says)
        self._check_signature(statement, entry)

    def _check_signature(self, statement: dict[str, Any], entry: dict[str, Any]) -> None:
        report, public = self._report, unpacked(entry["public_key"])
        signer = key_id(public)
        report.signed_by, report.trusted = signer, signer in (self._keys or {})
        if self._keys is not None and not report.trusted:
            says = f"It was signed with the key {signer}, which is none of those you gave."
            report.add(Kind.UNSIGNED, self._name, says)
        elif not is_signed(public, unpacked(entry["signature"]), signed_bytes(EXPORT, statement)):
            report.add(Kind.UNSIGNED, self._name, "The signature does not fit what was signed.")


def head_statement(scope: str, day: str, number: int, head: bytes) -> dict[str, Any]:
    """What is signed of the head of a chain that is kept on a day."""
    return {"scope": scope, "day": day, "number": number, "hash": head.hex()}


def _entries(opened: Opened) -> Iterator[Any]:
    with opened() as file:
        try:
            for line in gzip.GzipFile(fileobj=file):
                try:
                    yield json.loads(line)
                except ValueError:
                    yield None
        except UNREADABLE as wrong:
            raise CannotCheck(
                "The proof cannot be read: it was cut off or altered. Download it again."
            ) from wrong
