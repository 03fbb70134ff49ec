"""Invented editions of published lists, in the forms in which they are published.

Every name is made of syllables, so that no row can be a real person's.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.specialists.background import load_files
from marketplace.specialists.models import ReferenceSnapshot
from marketplace.specialists.rules.list_files import LEIE_HEAD
from marketplace.specialists.rules.lists import PublishedList
from marketplace.specialists.service.lists import ListFile, begin_snapshot

_SYLLABLES = (
    "ba be bo da de do fa fe ga ka ke ko la le lo ma me mo na ne no ra re ro sa ta te vi zo"
)
_ENDS = "n r l s th nd rt sk vik dal mir"
SYLLABLES, ENDS = _SYLLABLES.split(), _ENDS.split()
STATES = ("CA", "NY", "TX", "FL", "IL", "PA")
COUNTRIES = ("Iran", "Syria", "Korea, North", "Russia", "Burma")
NO_NPI = "0" * 10


@dataclass(frozen=True)
class Excluded:
    """A row of the LEIE."""

    last: str
    first: str
    middle: str = ""
    npi: str = NO_NPI
    born: str = "00000000"
    state: str = "CA"
    kind: str = "1128a1"
    listed: str = "20190520"
    business: str = ""

    @property
    def cells(self) -> list[str]:
        """The eighteen columns."""
        return [
            *(self.last, self.first, self.middle, self.business, "PHYSICIAN", "GENERAL PRACTICE"),
            *("", self.npi, self.born, "1 INVENTED WAY", "NOWHERE", self.state, "00000"),
            *(self.kind, self.listed, "00000000", "00000000", ""),
        ]


def word(source: random.Random, syllables: int = 3) -> str:
    """A name that nobody has, in capitals."""
    made = "".join(source.choice(SYLLABLES) for _ in range(syllables)) + source.choice(ENDS)
    return made.upper()


def some_excluded(count: int, *, seed: int = 7, words: int = 60) -> list[Excluded]:
    """People and businesses as the LEIE has them: most without an NPI, many with a birth date.

    words: how many surnames there are; first names are fewer, so that full names repeat, with
    other birth dates.
    """
    source = random.Random(seed)
    lasts = [word(source) for _ in range(words)]
    firsts = [word(source, 2) for _ in range(max(words // 4, 1))]
    rows = []
    for number in range(count):
        born = date(1935, 1, 1) + timedelta(days=source.randrange(20_000))
        listed = date(1990, 1, 1) + timedelta(days=source.randrange(12_000))
        business = f"{word(source)} CLINIC" if number % 25 == 24 else ""
        rows.append(
            Excluded(
                last="" if business else source.choice(lasts),
                first="" if business else source.choice(firsts),
                middle=source.choice(["", "", "J", word(source, 1)]),
                npi=f"1{source.randrange(10**9):09d}" if source.random() < 0.1 else NO_NPI,
                born=f"{born:%Y%m%d}" if source.random() < 0.8 else "00000000",
                state=source.choice(STATES),
                listed=f"{listed:%Y%m%d}",
                business=business,
            )
        )
    return rows


def leie_csv(rows: Iterable[Excluded]) -> bytes:
    """The rows as UPDATED.csv has them; a row in twenty stands there twice, letter for letter."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    out.write(LEIE_HEAD + "\r\n")
    for number, row in enumerate(rows):
        for _ in range(1 + (number % 20 == 19)):
            writer.writerow(row.cells)
    return out.getvalue().encode("cp1252")


@dataclass(frozen=True)
class Designated:
    """Somebody on OFAC's list. born: as the remarks write it."""

    number: int
    name: str
    others: tuple[str, ...] = ()
    country: str = "Iran"
    born: str = ""
    kind: str = "individual"
    program: str = "SDGT"


def some_designated(count: int, *, seed: int = 11, words: int = 60) -> list[Designated]:
    """People, companies and ships as OFAC lists them."""
    source = random.Random(seed)
    lasts = [word(source) for _ in range(words)]
    firsts = [word(source, 2).title() for _ in range(max(words // 4, 1))]
    rows = []
    for number in range(count):
        kind = ("individual", "individual", "individual", "-0- ", "vessel")[number % 5]
        other = f"{source.choice(lasts)}, {source.choice(firsts)}"
        day = date(1940, 1, 1) + timedelta(days=source.randrange(20_000))
        rows.append(
            Designated(
                number=1_000 + number,
                name=f"{source.choice(lasts)}, {source.choice(firsts)}",
                others=(other,) if source.random() < 0.4 else (),
                country=source.choice(COUNTRIES),
                born=source.choice([f"{day:%d %b %Y}", f"circa {day.year}", str(day.year), ""]),
                kind=kind,
            )
        )
    return rows


def ofac_csv(rows: Sequence[Designated]) -> tuple[bytes, bytes, bytes]:
    """sdn.csv, alt.csv and add.csv: without heads, `-0-` for nothing, a Ctrl-Z at the end."""
    sdn, alt, add = io.StringIO(), io.StringIO(), io.StringIO()
    for row in rows:
        remarks = f"DOB {row.born}; nationality {row.country}; Gender Male." if row.born else "-0- "
        cells: list[Any] = [row.number, row.name, row.kind, row.program, *["-0- "] * 7, remarks]
        csv.writer(sdn).writerow(cells)
        for place, other in enumerate(row.others):
            csv.writer(alt).writerow([row.number, place + 1, "aka", other, "-0- "])
        csv.writer(add).writerow([row.number, row.number, "-0- ", "-0- ", row.country, "-0- "])
    return tuple((each.getvalue() + "\x1a").encode() for each in (sdn, alt, add))  # type: ignore[return-value]


def loaded(
    source: PublishedList,
    *contents: bytes,
    source_on: date | None = None,
    shrink_accepted: bool = False,
) -> ReferenceSnapshot:
    """An edition of these files, loaded as the command does; screening it is left to others."""
    files = [
        ListFile(f"{place}.csv", f"{hash(content):x}") for place, content in enumerate(contents)
    ]
    with transaction() as session:
        snapshot, new = begin_snapshot(
            session, SYSTEM, source, files, source_on=source_on, shrink_accepted=shrink_accepted
        )
    return load_files(snapshot, [io.BytesIO(each) for each in contents]) if new else snapshot


def leie(*rows: Excluded, **options: Any) -> ReferenceSnapshot:
    """An edition of the LEIE with these people."""
    return loaded(PublishedList.LEIE, leie_csv(rows), **options)


def ofac(*rows: Designated, **options: Any) -> ReferenceSnapshot:
    """An edition of OFAC's list with these people."""
    return loaded(PublishedList.OFAC, *ofac_csv(rows), **options)
