"""The scan's patterns: what each kind catches, what it lets pass, what a report may show."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.jobs.rules.scan import PLACES_MAX, Personal, Tally, found_in, masked
from marketplace.jobs.rules.scan.checksums import aadhaar, card, iban, luhn, nhs, npi, ssn


def marks(text: str) -> list[tuple[str, str]]:
    return sorted((each.kind.value, text[each.start : each.end]) for each in found_in(text))


CAUGHT = (
    ("seen by Dr. Émile O'Brien-Ward's team", "name", "Dr. Émile O'Brien-Ward"),
    ("Mr J. R. Smith was admitted", "name", "Mr J. R. Smith"),
    ("Patient name: Jane Ann Doherty", "name", "Jane Ann Doherty"),
    ("DOB: 04/12/1961", "birth_date", "DOB: 04/12/1961"),
    ("date of birth is 4th of March, 1961", "birth_date", "date of birth is 4th of March, 1961"),
    ("a 93-year-old woman", "great_age", "93-year-old"),
    ("aged 104, lives alone", "great_age", "aged 104"),
    ("write to j.doe+ward@nhs.example.uk.", "email", "j.doe+ward@nhs.example.uk"),
    ("Call (415) 555-2671 after six", "phone", "(415) 555-2671"),
    ("+44 20 7946 0958", "phone", "+44 20 7946 0958"),
    ("mobile 07700 900123", "phone", "07700 900123"),
    ("lives at 12B Old Mill Lane, Leeds", "address", "12B Old Mill Lane"),
    ("Boston, MA 02115-1234", "address", "MA 02115-1234"),
    ("SW1A 2AA", "address", "SW1A 2AA"),
    ("MRN: 00412-77", "record_number", "MRN: 00412-77"),
    ("NHS number 943 476 5919", "nhs_number", "943 476 5919"),
    ("NPI 1234567893", "npi", "1234567893"),
    ("SSN 123-45-6789", "social_security_number", "123-45-6789"),
    ("Aadhaar 2341 2341 2346", "aadhaar", "2341 2341 2346"),
    ("passport no. X1234567", "passport", "passport no. X1234567"),
    ("driver's license: D1234567", "driving_licence", "driver's license: D1234567"),
    ("IBAN GB29 NWBK 6016 1331 9268 19", "iban", "GB29 NWBK 6016 1331 9268 19"),
    ("card 4242 4242 4242 4242", "payment_card", "4242 4242 4242 4242"),
    ("from 8.8.8.8 at noon", "ip_address", "8.8.8.8"),
)


@pytest.mark.parametrize(("text", "kind", "words"), CAUGHT)
def test_each_kind_is_caught_with_its_place(text: str, kind: str, words: str) -> None:
    assert (kind, words) in marks(text)


PASSED = (
    "Dr. XYZ examined Ms. X.",
    "The Justice Department and Judge Advocate General",
    "Will we Miss Nothing?",
    "mean age 65 years, range 31-92 years; 11.91 years; 100% of 90",
    "born in 1961, at the age of 42",
    "on 04/12/2021, dose 415-555 mg, ratio 12-13-14",
    "123-45-0000 and 666-12-3456 and 000-12-3456",
    "order 4242 4242 4242 4243, build 1234567890123",
    "GB29 NWBK 6016 1331 9268 18",
    "version 1.2.3.4, EC 3.1.1.11, 10.0.0.1",
    "reported in AIR 2015 Supreme Court 2240, 597 In The High Court",
    "f(x) = 3.14159265 and ISBN 978-3-16-148410-0",
    "12 Angry Men, 500 Miles",
)


@pytest.mark.parametrize("text", PASSED)
def test_what_only_looks_like_it_passes(text: str) -> None:
    assert [] == marks(text)


def test_check_digits() -> None:
    assert luhn("4242424242424242")
    assert (True, False) == (npi("1234567893"), npi("1234567890"))
    assert (True, False, False) == (nhs("9434765919"), nhs("9434765918"), nhs("1111111111"))
    assert (True, False) == (ssn("123456789"), ssn("900456789"))
    assert (True, False) == (iban("DE89370400440532013000"), iban("DE89370400440532013001"))
    assert (True, False) == (aadhaar("234123412346"), aadhaar("234123412345"))
    assert (False, False) == (card("4444444444444444"), card("1234567812345670"))


def test_fields_that_are_named_so_tell_what_they_hold() -> None:
    tally = Tally()
    parts = {
        "payload": {"metadata": {"patient_name": "Smith, Jane", "DOB": "1961", "notes": "fine"}},
        "prelabels": [{"values": {"phone": "5552671"}}, {"values": {"phone": "5552672"}}],
    }
    for number in range(1, 8):
        tally.look(f"row-{number}", number, parts)

    assert {
        ("name", "/payload/metadata/patient_name"): (7, 7),
        ("birth_date", "/payload/metadata/DOB"): (7, 7),
        ("phone", "/prelabels/*/values/phone"): (14, 7),
    } == {
        (kind.value, field): (each.found, each.items)
        for (kind, field), each in tally.findings.items()
    }
    assert 7 == tally.items
    places = tally.findings[Personal.NAME, "/payload/metadata/patient_name"].places
    assert PLACES_MAX == len(places)
    assert {"external_id": "row-1", "position": 1, "shown": "S••••, J•••"} == places[0]


def test_a_report_never_shows_a_value() -> None:
    assert "•••-••-••89" == masked("123-45-6789")
    assert "j.d••@n••.e••••••.u•" == masked("j.doe@nhs.example.uk")
    assert "D•. É••••" == masked("Dr. Émile")
    assert "••/••/••61" == masked("04/12/1961")


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_any_text_is_looked_through(text: str) -> None:
    for each in found_in(text):
        assert 0 <= each.start < each.end <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "Mr " * 50,
        "1 " * 60,
        "a." * 60,
        "A1 " * 60,
        "+1 2 " * 40,
        "12 Aa Bb Cc ",
        "9-" * 60,
        "@a" * 60,
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * (200_000 // len(piece)))[:200_000]
    began = time.process_time()
    for _ in found_in(text):
        pass
    assert time.process_time() - began < 3.0


def test_real_notes_and_judgements_give_few_false_alarms(sample_data: Path) -> None:
    """Read by hand in 2026-11: of what stands here, what is no personal detail is counted."""
    notes = [
        text
        for path in sorted((sample_data / "mts_dialog").rglob("*.csv"))
        for row in csv.reader(path.read_text().splitlines())
        for text in row
    ]
    found = Counter(each.kind for text in notes for each in found_in(text))
    assert {Personal.NAME, Personal.GREAT_AGE} == found.keys()

    lines = (sample_data / "indian_legal_ner/dev.jsonl").read_text().splitlines()
    texts = [str(json.loads(line)["text"]) for line in lines]
    names = {text[e.start : e.end] for text in texts for e in found_in(text)}
    wrong = {name for name in names if name.endswith(("Road", "School", "Bhawana"))}
    assert len(names) > 300
    assert len(wrong) <= 2
