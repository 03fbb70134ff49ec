"""The published CSV forms of the lists, read row by row, with what matching needs; pure."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from babel import Locale

from marketplace.errors import Refused
from marketplace.specialists.rules.lists import NO_NPI, PublishedList, name_keys

LEIE_HEAD = (
    "LASTNAME,FIRSTNAME,MIDNAME,BUSNAME,GENERAL,SPECIALTY,UPIN,NPI,DOB,ADDRESS,CITY,STATE,ZIP,"
    "EXCLTYPE,EXCLDATE,REINDATE,WAIVERDATE,WVRSTATE"
)
# The columns that are used; others may come and go.
_NEEDED = "LASTNAME FIRSTNAME MIDNAME NPI DOB STATE EXCLTYPE EXCLDATE"
LEIE_NEEDED = frozenset(_NEEDED.split())
FILES: Mapping[PublishedList, tuple[str, ...]] = {
    PublishedList.LEIE: ("UPDATED.csv",),
    PublishedList.OFAC: ("sdn.csv", "alt.csv", "add.csv"),
}
SDN_COLUMNS, ALT_COLUMNS, ADD_COLUMNS = 12, 5, 6
NOTHING = frozenset({"", "-0-"})
SAID_MAX = 20
COUNTRIES_OTHERWISE = {
    "korea, north": "KP",
    "korea, south": "KR",
    "burma": "MM",
    "congo, democratic republic of the": "CD",
    "congo, republic of the": "CG",
    "cote d ivoire": "CI",
    "west bank": "PS",
    "palestinian": "PS",
    "the gambia": "GM",
    "turkey": "TR",
}
_BORN = re.compile(
    r"\bDOB (circa )?(?:(\d{1,2}) )?(?:([A-Z][a-z]{2}) )?(\d{4})(?: to (?:[\w ]*?)(\d{4}))?"
)
_FROM = re.compile(r"\b(?:nationality|citizen|POB) ([^;]+?)(?=;|\.?$)")
SPAN_MAX = 30


class NotTheList(Refused):
    """The file is not what it should be."""

    code = "not_the_list"


@dataclass(frozen=True, slots=True)
class ListRow:
    """One person of a list, with no more than matching and showing need.

    key: the same in each edition of the list; born: ISO dates, or years where no more is said;
    places: ISO 3166 codes; listed_as: why, in the list's words; listed_on: since when.
    """

    key: str
    names: tuple[str, ...]
    npi: str | None = None
    born: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    listed_as: str = ""
    listed_on: date | None = None
    keys: tuple[str, ...] = field(default=(), compare=False)

    @property
    def content(self) -> str:
        """A fingerprint of all that the list says, to tell a changed row."""
        said = [
            *map(list, (self.names, self.born, self.places)),
            self.npi,
            self.listed_as,
            str(self.listed_on),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """The lines as text: UTF-8, or Windows' Western letters where that does not fit."""
    for line in lines:
        plain = line.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
        try:
            yield plain.decode()
        except UnicodeDecodeError:
            yield plain.decode("cp1252", "replace")


def leie_rows(lines: Iterable[bytes]) -> Iterator[ListRow | None]:
    """People of the LEIE, row by row; None for a row that names no person.

    Raises NotTheList where the columns are not the LEIE's.
    """
    rows = csv.DictReader(decoded(lines))
    missing = LEIE_NEEDED - {(name or "").strip().upper() for name in rows.fieldnames or ()}
    if missing:
        raise NotTheList(f"This is not the LEIE: it has no column {', '.join(sorted(missing))}.")
    rows.fieldnames = [(name or "").strip().upper() for name in rows.fieldnames or ()]
    for row in rows:
        yield _leie_row({name: _said(value) for name, value in row.items() if name})


def _leie_row(row: Mapping[str, str]) -> ListRow | None:
    last, first, middle = (row.get(name, "") for name in ("LASTNAME", "FIRSTNAME", "MIDNAME"))
    if not last or not first:
        return None  # A business, which no specialist is.
    names = (" ".join(f"{last}, {first} {middle}".split()),)
    npi = row["NPI"] if re.fullmatch(r"\d{10}", row["NPI"]) and row["NPI"] != NO_NPI else None
    born, listed = _day(row["DOB"]), _day(row["EXCLDATE"])
    # The file has no number of its own; who, born when, and excluded when is the same each month.
    key = "|".join((*names, str(born or ""), str(listed or "")))
    return ListRow(
        key=hashlib.sha256(key.encode()).hexdigest()[:32],
        names=names,
        npi=npi,
        born=(born.isoformat(),) if born else (),
        places=(f"US-{row['STATE']}",) if re.fullmatch(r"[A-Z]{2}", row["STATE"]) else (),
        listed_as=row["EXCLTYPE"],
        listed_on=listed,
        keys=tuple(name_keys(names)),
    )


def ofac_rows(
    sdn: Iterable[bytes], alt: Iterable[bytes], add: Iterable[bytes]
) -> Iterator[ListRow | None]:
    """Individuals of OFAC's list with their other names and countries; None for anybody else."""
    others, homes = defaultdict(list), defaultdict(list)
    for row in _ofac(alt, ALT_COLUMNS, "alt.csv"):
        others[row[0]].append(row[3])
    for row in _ofac(add, ADD_COLUMNS, "add.csv"):
        homes[row[0]].append(row[4])
    for row in _ofac(sdn, SDN_COLUMNS, "sdn.csv"):
        yield _ofac_row(row, others[row[0]], homes[row[0]])


def _ofac_row(row: Sequence[str], others: list[str], homes: list[str]) -> ListRow | None:
    number, name, kind, program, *_, remarks = row
    if kind.lower() != "individual" or not name:
        return None
    names = tuple(dict.fromkeys(each for each in (name, *others) if each))[:SAID_MAX]
    said = [*homes, *_FROM.findall(remarks)]
    places = {code for each in said if (code := country_code(each))}
    return ListRow(
        key=number,
        names=names,
        born=tuple(sorted(_births(remarks))),
        places=tuple(sorted(places)),
        listed_as=program,
        keys=tuple(name_keys(names)),
    )


def _ofac(lines: Iterable[bytes], columns: int, name: str) -> Iterator[list[str]]:
    """The rows of one of OFAC's files, which have no head; the last line may be a lone Ctrl-Z."""
    for number, raw in enumerate(csv.reader(decoded(lines)), 1):
        row = [_said(value) for value in raw]
        if len(row) <= 1:
            continue
        if len(row) != columns or not row[0].isdigit():
            said = f"line {number} has {len(row)} columns where it should have {columns}"
            raise NotTheList(f"This is not {name} of OFAC: {said}.")
        yield row


def _said(value: str | Sequence[str] | None) -> str:
    plain = value.strip() if isinstance(value, str) else ""
    return "" if plain in NOTHING else plain


def _day(text: str) -> date | None:
    """A day written yyyymmdd; None for the noughts that stand for none, and for nonsense."""
    try:
        return datetime.strptime(text, "%Y%m%d").date() if text.isdigit() else None  # noqa: DTZ007
    except ValueError:
        return None


def _births(remarks: str) -> set[str]:
    found: set[str] = set()
    for circa, day, month, year, until in _BORN.findall(remarks):
        if until:
            found |= {str(each) for each in range(int(year), int(until) + 1)[:SPAN_MAX]}
        elif circa:
            found |= {str(int(year) + each) for each in (-1, 0, 1)}
        elif day and month:
            found.add(_iso(day, month, year) or year)
        else:
            found.add(year)
    return found


def _iso(day: str, month: str, year: str) -> str | None:
    try:
        written = datetime.strptime(f"{day} {month} {year}", "%d %b %Y")  # noqa: DTZ007
    except ValueError:
        return None
    return written.date().isoformat()


@functools.cache
def _countries() -> Mapping[str, str]:
    codes = {
        name.lower(): code
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code.isalpha()
    }
    return codes | COUNTRIES_OTHERWISE


def country_code(said: str) -> str | None:
    """The ISO 3166 code of a country as the lists write it, after a last comma too; else None."""
    plain = said.strip().rstrip(".").lower()
    return _countries().get(plain) or _countries().get(plain.rpartition(", ")[2])
