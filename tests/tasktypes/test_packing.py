"""A ZIP that is written as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

import pytest

from marketplace.tasktypes.packing import Kept, zipped

MANY = 66_000  # More than the 16 bits of the old form can count.


def members(number: int) -> Iterator[tuple[str, bytes]]:
    return ((f"ä/{each}.txt", b"text %d\n" % each * (each % 3)) for each in range(number))


def test_what_went_in_comes_out_and_nothing_says_when() -> None:
    content = b"".join(zipped(members(5)))

    assert content == b"".join(zipped(members(5)))
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert dict(members(5)) == {name: archive.read(name) for name in archive.namelist()}
        assert {(1980, 1, 1, 0, 0, 0)} == {each.date_time for each in archive.infolist()}


@pytest.mark.slow
def test_more_files_than_sixteen_bits_count() -> None:
    with ZipFile(BytesIO(b"".join(zipped(members(MANY))))) as archive:
        assert MANY == len(archive.namelist())
        assert b"text 65999\n" * 2 == archive.read("ä/65999.txt")
        assert b"text 65998\n" == archive.read("ä/65998.txt")


def test_an_empty_one_is_one_too() -> None:
    with ZipFile(BytesIO(b"".join(zipped([])))) as archive:
        assert [] == archive.namelist()


def test_what_is_kept_is_given_back_in_order() -> None:
    kept = Kept()
    for number in range(1_000):
        kept.add(b"%d," % number)

    assert b"".join(b"%d," % number for number in range(1_000)) == b"".join(kept.pieces())
