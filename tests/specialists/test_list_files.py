"""The published forms of the lists, and who fits an entry."""

from __future__ import annotations

import pytest

from marketplace.specialists.rules.list_files import NotTheList, country_code, leie_rows, ofac_rows
from marketplace.specialists.rules.lists import (
    HitGrade,
    Match,
    Subject,
    match_of,
    name_keys,
)
from marketplace.specialists.rules.names import name_score
from tests.make import lists as make


def test_a_row_of_the_leie_without_a_number_or_dates() -> None:
    """Ten noughts are no NPI, eight are no date."""
    person = make.Excluded("TALVIK", "MIRENA", "J")
    (row,) = leie_rows(make.leie_csv([person]).splitlines(keepends=True))

    assert row is not None
    assert (("TALVIK, MIRENA J",), None, (), ("US-CA",)) == (
        row.names,
        row.npi,
        row.born,
        row.places,
    )


def test_a_row_of_the_leie_with_all() -> None:
    """A number and a birth date are kept; a business is nobody."""
    person = make.Excluded("TALVIK", "MIRENA", npi="1234567893", born="19610207", state="NY")
    clinic = make.Excluded("", "", business="TALVIK CLINIC")
    found = list(leie_rows(make.leie_csv([person, clinic]).splitlines(keepends=True)))

    assert [("1234567893", ("1961-02-07",), ("US-NY",)), None] == [
        (row.npi, row.born, row.places) if row else None for row in found
    ]


def test_rows_that_stand_twice_have_one_key() -> None:
    """The LEIE repeats rows; each person counts once."""
    rows = list(leie_rows(make.leie_csv(make.some_excluded(400)).splitlines(keepends=True)))
    people = [row for row in rows if row]

    assert 420 == len(rows)
    assert len({row.key for row in people}) < len(people)


def test_another_file_is_not_the_leie() -> None:
    """A file of something else says what is missing."""
    with pytest.raises(NotTheList, match="DOB, EXCLDATE"):
        list(leie_rows([b"LASTNAME,FIRSTNAME,MIDNAME,NPI,STATE,EXCLTYPE\n"]))


def test_a_row_of_ofac_with_all_that_it_says() -> None:
    """Other names, countries and birth dates come from three files and the remarks."""
    person = make.Designated(
        36, "TALVIK, Mirena", ("TALVIK, Mira",), "Korea, North", "07 Feb 1961; alt. DOB 1962"
    )
    files = [each.splitlines(keepends=True) for each in make.ofac_csv([person])]
    (row,) = ofac_rows(*files)

    assert row is not None
    assert (("TALVIK, Mirena", "TALVIK, Mira"), ("1961-02-07", "1962"), ("KP",)) == (
        row.names,
        row.born,
        row.places,
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("circa 1960", ("1959", "1960", "1961")),
        ("1958 to 1960", ("1958", "1959", "1960")),
        ("Feb 1961", ("1961",)),
        ("", ()),
    ],
)
def test_birth_dates_as_ofac_writes_them(written: str, read: tuple[str, ...]) -> None:
    """What is said vaguely is read vaguely."""
    files = [
        each.splitlines(keepends=True)
        for each in make.ofac_csv([make.Designated(1, "TALVIK, Mirena", born=written)])
    ]
    (row,) = ofac_rows(*files)

    assert row is not None
    assert read == row.born


def test_ships_and_companies_are_nobody() -> None:
    """Only individuals can be a specialist."""
    files = [
        each.splitlines(keepends=True)
        for each in make.ofac_csv([make.Designated(1, "TALVIK SHIPPING", kind="-0- ")])
    ]

    assert [None] == list(ofac_rows(*files))


def test_another_file_is_not_ofacs() -> None:
    """A wrong number of columns is said with its line."""
    with pytest.raises(NotTheList, match=r"line 1 has 2 columns where it should have 12"):
        list(ofac_rows([b"1,NAME\n"], [], []))


def test_countries_are_known_by_their_names() -> None:
    """As the lists write them."""
    said = ["Iran", "Korea, North", "Congo, Democratic Republic of the", "Germany", "Atlantis"]

    assert ["IR", "KP", "CD", "DE", None] == [country_code(each) for each in said]


PERSON = Subject(
    ("Mirena Talvik",), "1961-02-07", frozenset({"1234567893"}), frozenset({"US", "US-CA"})
)


@pytest.mark.parametrize(
    ("names", "npi", "born", "places", "expected"),
    [
        (["OTHER, NAME"], "1234567893", [], [], ("strong", ("npi",))),
        (["TALVIK, MIRENA"], "0000000000", ["1961-02-07"], [], ("strong", ("birth", "name"))),
        (["TALWIK, MIRENA"], None, ["1961-02-07"], [], ("strong", ("birth", "name"))),
        (["TALVIK, MIRENA"], None, [], ["US-CA"], ("strong", ("place", "name"))),
        (["TALVIK, MIRENA"], None, [], ["US-NY"], ("weak", ("name",))),
        (["TALVIK, MIRENA"], None, ["1961"], [], ("weak", ("birth_year", "name"))),
        (["TALVIK, MIRENA"], None, ["1958-03-03"], ["US-CA"], None),
        (["TALVIK, MIRENA"], None, ["1958"], ["US-CA"], None),
        (["TALVIK, JUNO"], None, [], ["US-CA"], None),
        (["OTHER, NAME"], "0000000000", ["1961-02-07"], ["US-CA"], None),
    ],
)
def test_who_fits_an_entry(
    names: list[str],
    npi: str | None,
    born: list[str],
    places: list[str],
    expected: tuple[str, tuple[str, ...]] | None,
) -> None:
    """A number alone, a name with a second factor, or a name alone, which weighs little."""
    found: Match | None = match_of(PERSON, names, npi, born, places)

    assert expected == ((found.grade.value, found.matched) if found else None)


def test_ten_noughts_never_match() -> None:
    """Not even somebody who typed them."""
    nobody = Subject(("Mirena Talvik",), None, frozenset({"0000000000"}), frozenset())

    assert match_of(nobody, ["OTHER, NAME"], "0000000000", [], []) is None


def test_names_that_are_alike_share_a_key() -> None:
    """What is compared at all: nearly all pairs that would count, and few of the others."""
    pairs = [
        ("Mirena Talvik", "TALVIK, MIRENA J"),
        ("M. Talvik", "TALVIK, MIRENA"),
        ("Mirena Talwik", "TALVIK, MIRENA"),
        ("Jon Harrow", "HARROW, JOHN"),
        ("Jürgen Müller", "MUELLER, JUERGEN"),
        ("Sofia de la Cruz", "CRUZ, SOFIA"),
    ]

    assert [] == [
        pair
        for pair in pairs
        if name_score(*pair) > 0.7 and not set(name_keys(pair[:1])) & set(name_keys(pair[1:]))
    ]
    people = [f"{row.last}, {row.first}" for row in make.some_excluded(300) if row.last]
    mine = set(name_keys(["Mirena Talvik"]))
    assert len([name for name in people if mine & set(name_keys([name]))]) <= 3


def test_a_strong_grade_says_why() -> None:
    """The grade and the reasons come together."""
    found = match_of(PERSON, ["TALVIK, MIRENA"], None, ["1961-02-07"], ["US-CA"])

    assert found == Match(HitGrade.STRONG, 1.0, ("birth", "place", "name"))
