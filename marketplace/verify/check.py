"""The check of an export: its proof first, then every file line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from marketplace.verify.files import (
    BUNDLED,
    UNREADABLE,
    Opened,
    Place,
    Progress,
    digests_of,
    place_of,
    sha256_of,
    unit_of,
)
from marketplace.verify.lines import Change, Digests, changes
from marketplace.verify.proof import Proof, Reader
from marketplace.verify.report import CannotCheck, Kind, Report
from marketplace.verify.rows import check_row, row_of
from marketplace.verify.store import Store, temporary_store

WORDS = {
    Kind.ALTERED: "{unit} {line} was altered.",
    Kind.MISSING: "{unit} {line} is missing.",
    Kind.ADDED: "{unit} {line} was added.",
    Kind.REORDERED: "{unit} {line} stood as {was}.",
}
UNITS = {"lines": "Line", "rows": "Row", "members": "File"}
NO_KEY = (
    "No key was given: the signature shows that file and proof belong together, not who made them. "
    "Save the platform's keys from /.well-known/marketplace-keys.json and give them with --key."
)
LISTED_MAX = 10_000
STRANGE_MAX = 1_000_000  # Lines beyond those written that are read: a bomb has any number.
# Not part of any export: what the people of a bundle's list of hashes, and folders, bring along.
MANIFEST = "MANIFEST.sha256"
BESIDE = frozenset({BUNDLED, MANIFEST, ".DS_Store"})


def verify(
    path: str | Path,
    *,
    proof: str | Path | None = None,
    keys: Mapping[str, bytes] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check the export at a path: a file, a ZIP, or an unpacked folder.

    proof: where it does not lie beside or inside; keys: public keys by their ids that the
    signature must be of (`keys.keys_of`); progress: told bytes as they are read. Raises
    CannotCheck where there is nothing to check with.
    """
    report = Report()
    with place_of(Path(path), Path(proof) if proof else None) as place, temporary_store() as store:
        read = Reader(place.proof_name, store, report, keys).read(place.proof)
        _Files(place, read, store, report, progress).check()
    if keys is None:
        report.notes.append(NO_KEY)
    return report


@dataclass(slots=True)
class _Files:
    place: Place
    proof: Proof
    store: Store
    report: Report
    progress: Progress | None

    def check(self) -> None:
        """Every file that the proof names, and what is there besides."""
        named = {each["name"]: each for each in self.proof.statement.get("files", ())}
        alone = "" in self.place.files
        for name in self.place.doubled:
            says = f"The archive has {name} more than once; programs differ in which they take."
            self.report.add(Kind.ADDED, name, says)
        for name, stated in named.items():
            opened = self.place.files.get("" if alone and len(named) == 1 else name)
            if opened is None:
                self.report.add(Kind.MISSING, name, f"The file {name} is missing.")
            else:
                self._file(name, stated, opened)
        strange = self.place.files.keys() - named.keys() - BESIDE
        for name in sorted(strange) if not (alone and named) else ():
            whole = name or self.place.proof_name
            self.report.add(Kind.ADDED, whole, f"The proof does not speak of {name or 'the file'}.")
        if MANIFEST in self.place.files and named:
            self._manifest(self.place.files[MANIFEST], named)

    def _manifest(self, opened: Opened, named: Mapping[str, Mapping[str, Any]]) -> None:
        """A bundle's own list of hashes, which people check with other programs."""
        try:
            for number, (_, line) in enumerate(islice(digests_of(opened, "lines"), LISTED_MAX), 1):
                sha256, _, name = (line or b"").decode().strip().partition("  ")
                if name != BUNDLED and sha256 != named.get(name, {}).get("sha256"):
                    says = f"Line {number} is not the hash of a file that was written."
                    self.report.add(Kind.ALTERED, MANIFEST, says, number)
        except (*UNREADABLE, ValueError) as wrong:
            self.report.add(Kind.ALTERED, MANIFEST, f"{MANIFEST} cannot be read: {wrong}")

    def _file(self, name: str, stated: Mapping[str, Any], opened: Opened) -> None:
        try:
            sha256, _ = sha256_of(opened, self.progress)
            unit = stated["unit"]
            _, listed = self.proof.lines.get(name, ("", Digests()))
            if unit != "lines" and unit_of(opened) != unit:
                self.report.add(Kind.ALTERED, name, f"{name} is no longer the kind of file it was.")
                return
            whole = sha256 == stated["sha256"]
            named = set() if whole else self._compare(name, unit, listed, opened)
            if self.proof.opens:
                self._rows(name, unit, opened, named)
        except CannotCheck:
            raise
        except (*UNREADABLE, ValueError) as wrong:
            self.report.add(Kind.ALTERED, name, f"{name} cannot be read to its end: {wrong}")

    def _compare(self, name: str, unit: str, listed: Digests, opened: Opened) -> set[int]:
        """Tell what became of each line; the lines told of."""
        found = Digests()
        for digest, _ in digests_of(opened, unit):
            found.add(digest)
            if len(found) > len(listed) + STRANGE_MAX:
                says = f"{name} goes on for more than {STRANGE_MAX:,} {unit} that nobody wrote."
                self.report.add(Kind.ADDED, name, says)
                break
        named: set[int] = set()
        for change in changes(listed, found):
            if change.kind is not Kind.MISSING:
                named.add(change.line)
            says = _says(change, UNITS[unit])
            self.report.add(change.kind, name, says, change.line)
        if found == listed:
            self.report.notes.append(
                f"{name} was packed anew; {len(found)} {unit} in it are what they were."
            )
        return named

    def _rows(self, name: str, unit: str, opened: Opened, named: set[int]) -> None:
        _, listed = self.proof.lines.get(name, ("", Digests()))
        units = islice(digests_of(opened, unit), len(listed) + STRANGE_MAX)
        for number, (_, content) in enumerate(units, 1):
            if content is None:
                if unit == "lines":
                    says = f"Line {number} is too long to be looked into."
                    self.report.add(Kind.UNPROVEN, name, says, number)
                continue
            self.report.rows += 1
            row = row_of(content) if number not in named else None
            if row is not None:
                check_row(self.store, self.report, name, number, row)


def _says(change: Change, unit: str) -> str:
    if change.kind is Kind.ADDED and change.was is not None:
        return f"{unit} {change.line} was added: it is a copy of {unit.lower()} {change.was}."
    return WORDS[change.kind].format(unit=unit, line=change.line, was=change.was)
