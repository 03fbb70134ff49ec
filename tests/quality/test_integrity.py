"""Signs of dishonest work, by injection: who did it is found, and honest people are not."""

from __future__ import annotations

import csv
import os
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pytest

from marketplace.quality.rules import categorical
from marketplace.quality.rules.crowd import Labels
from marketplace.quality.rules.integrity import (
    Answers,
    Finding,
    FindingKind,
    Session,
    Text,
    Timed,
    collusion,
    copied,
    false_shares,
    haste,
    information,
    near_duplicates,
    position,
    position_share,
    sharing,
    signature,
    spam,
)
from tests.quality.injected import DAY, Row, area, honest, with_rings, with_spam


def people(found: list[Finding]) -> set[Hashable]:
    return {person for finding in found for person in finding.persons}


def test_false_shares_are_those_of_benjamini_and_hochberg() -> None:
    found = false_shares(np.array([0.01, 0.04, 0.03, 0.5]))

    assert [0.04, 0.16 / 3, 0.16 / 3, 0.5] == pytest.approx(found.tolist())
    assert [] == false_shares(np.zeros(0)).tolist()


def timed(seed: int, *, hasty: bool) -> Timed:
    """Ten people with 40 answers each; long tasks take longer; person 0 hurries half of them."""
    source = np.random.default_rng(seed)
    who = np.tile(np.arange(10), 40)
    characters = source.integers(200, 4_000, 400).astype(np.float64)
    seconds = 20 + characters / 15 * np.exp(source.normal(0, 0.3, 400))
    hurried = (who == 0) & (np.arange(400) % 20 < 10) & hasty
    seconds = np.where(hurried, seconds / 8, seconds)
    return Timed([f"p{each}" for each in who], list(range(400)), seconds, characters)


def test_haste_is_measured_against_others_at_the_same_length() -> None:
    found = haste(timed(1, hasty=True))

    assert [("p0",)] == [finding.persons for finding in found]
    numbers = found[0].numbers
    assert 0.4 < float(numbers["fast_share"]) < 0.7
    assert float(numbers["seconds_usual"]) > 1.5 * float(numbers["seconds_median"])
    assert 0 < len(found[0].pieces) <= 10
    assert FindingKind.HASTE == found[0].kind


def test_nobody_hurries_where_nobody_does_or_nobody_else_is_there() -> None:
    calm = timed(2, hasty=False)

    assert [] == haste(calm)
    alone = Timed(["p0"] * 400, calm.names, calm.seconds, calm.characters)
    assert [] == haste(alone)


def test_short_work_is_no_haste() -> None:
    every = timed(3, hasty=False)
    short = np.array([person == "p0" for person in every.persons])
    characters = np.where(short, every.characters / 10, every.characters)
    seconds = np.where(short, 20 + characters / 15, every.seconds)

    assert [] == haste(Timed(every.persons, every.names, seconds, characters))


LONG = "The dose must not be doubled because the effect of warfarin lasts for several days."


def test_a_signature_is_short_stable_and_blind_to_signs() -> None:
    one = signature(LONG)

    assert (256, "float32") == (len(one), str(one.dtype))
    assert 1 == pytest.approx(float(np.linalg.norm(one)), abs=1e-6)
    assert np.array_equal(one, signature(LONG.upper().replace(" ", "  ") + "!!"))
    assert 0.8 < float(one @ signature(LONG.replace("several", "many")))
    other = signature("Notice is due in thirty days, and the fees are capped by the lease.")
    assert 0.4 > float(one @ other)
    assert 0 == float(np.linalg.norm(signature("—")))


def test_near_duplicates_name_the_pair_and_the_pieces() -> None:
    texts = [
        Text("a", 1, "t1", LONG),
        Text("b", 2, "t1", LONG.replace("several days", "many days")),
        Text("c", 3, "t1", "Nobody should take twice the amount: bleeding is a real danger here."),
        Text("a", 4, "t2", "Both are correct."),
        Text("b", 5, "t2", "Both are correct."),
        Text("c", 6, "t3", "Nobody should take twice the amount: bleeding is a real danger here."),
    ]

    found = near_duplicates(texts)

    assert [("a", "b"), ("c",)] == sorted(finding.persons for finding in found)
    pair = next(finding for finding in found if len(finding.persons) == 2)
    assert ((1, 2),) == pair.pieces
    assert (1, 1) == (pair.numbers["pairs"], pair.numbers["pairs_of_one_task"])
    kept = np.stack([signature(text.words) for text in texts])
    assert found == near_duplicates(texts, kept)


def test_words_of_the_material_are_counted_as_its() -> None:
    own = Text("a", 1, "t", "I would not, since the next dose brings the level back by itself.")
    taken = Text("b", 2, "t", LONG)

    found = copied([own, taken], [f"Leaflet. {LONG} End."] * 2)

    assert [("b",)] == [finding.persons for finding in found]
    assert 1.0 == found[0].numbers["copied_share_mean"]


def test_who_favours_a_place_is_told_with_bounds() -> None:
    source = np.random.default_rng(4)
    favoured: dict[Hashable, list[tuple[int, int]]] = {
        f"p{at}": [(int(place), 2) for place in source.integers(0, 2, 60)] for at in range(20)
    }
    favoured["first"] = [(int(source.random() > 0.8), 2) for _ in range(60)]
    favoured["last of three"] = [(2 if source.random() < 0.7 else 0, 3) for _ in range(60)]

    found = position(favoured)

    assert {"first": "first", "last of three": "last"} == {
        finding.persons[0]: finding.numbers["place"] for finding in found
    }
    numbers = next(each for each in found if each.persons == ("first",)).numbers
    assert 0.5 < float(numbers["share_lower"]) < float(numbers["share"])


def test_bounds_of_a_share_are_exact() -> None:
    found = position_share(9, 10, 2)

    assert found is not None
    assert (0.606, 0.995) == pytest.approx((found.lower, found.upper), abs=1e-3)
    assert 22 / 1024 == pytest.approx(found.p)
    assert position_share(0, 0, 2) is None


def sessions(person: str, count: int, *, hour: int = 10, device: str = "d") -> list[Session]:
    own = device + person
    return [
        Session(person, f"{person}{at}", at * DAY, at * DAY + 3_600, (hour + at % 3) % 24, own, own)
        for at in range(count)
    ]


def test_two_places_at_once_and_one_device_are_told() -> None:
    mine = sessions("a", 5)
    elsewhere = Session("a", "x", 2 * DAY + 600, 2 * DAY + 1_800, 10, "other", "far")
    lent = Session("c", "y", 9 * DAY, 9 * DAY + 60, 10, "db", "n")

    found = sharing([*mine, elsewhere, *sessions("b", 5), lent])

    kinds = {str(finding.numbers["what"]): finding for finding in found}
    assert {"two_places_at_once", "one_device"} == set(kinds)
    assert (("a2", "x"),) == kinds["two_places_at_once"].pieces
    assert 20 == kinds["two_places_at_once"].numbers["minutes_most"]
    assert ("b", "c") == kinds["one_device"].persons


def test_another_hand_shows_in_hours_and_in_style() -> None:
    source = np.random.default_rng(5)

    def written(person: str, *, changes: bool) -> list[Session]:
        found = []
        for at in range(30):
            late = changes and at >= 15
            words = source.choice(["dose", "level", "clinic", "risk", "bleed", "days"], 20)
            other = source.choice(["lol", "fine", "good", "ok", "yes", "sure"], 20)
            style = signature(" ".join(other if late else words))
            hour = 2 if late else 10 + at % 3
            place = (at * DAY, at * DAY + 60, hour)
            found.append(Session(person, at, *place, device=person, style=style))
        return found

    rows = [each for at in range(8) for each in written(f"p{at}", changes=at == 0)]

    found = sharing(rows)

    assert {"p0"} == people(found)
    assert "changed" == found[0].numbers["what"]
    numbers = found[0].numbers
    assert float(numbers["style_distance"]) > 2 * float(numbers["style_distance_usual"])


def test_spammers_tell_nothing_of_the_truth() -> None:
    named = Labels.of(with_spam(honest(6), 7))
    fit = categorical.fit(named.labels)

    told = information(np.asarray(fit.confusion, np.float64), fit.prior)
    spammer = np.array([str(author).startswith("spam") for author in named.authors])
    found = spam(fit, named.authors)

    assert 0.97 < area(-told, spammer)
    assert len(people(found)) >= 0.5 * spammer.sum()
    assert all(str(person).startswith("spam") for person in people(found))
    assert {"labels", "information", "information_usual"} <= set(found[0].numbers)


def test_who_answers_the_wrong_way_round_tells_much() -> None:
    swapped = np.array([[0.1, 0.9], [0.9, 0.1]])
    dice = np.array([[0.5, 0.5], [0.5, 0.5]])

    found = information(np.stack([swapped, dice]), np.array([0.5, 0.5]))

    assert 0.3 < found[0]
    assert 0 == pytest.approx(found[1], abs=1e-12)


def of_rings(rows: list[Row], seed: int) -> tuple[float, float]:
    """Shares of ring members and of honest authors that are told of."""
    ring = with_rings(rows, seed)
    named = Labels.of(ring.rows)
    signed = np.stack([signature(text) for text in ring.texts])
    found = collusion(
        Answers(named.labels, categorical.fit(named.labels), ring.times, signed), named.authors
    )
    told = people(found)
    others = set(named.authors) - ring.members
    return len(told & ring.members) / len(ring.members), len(told & others) / len(others)


def test_rings_are_found_by_labels_times_and_words() -> None:
    right, wrong = of_rings(honest(8, tasks=150, seats=8), 9)

    assert right >= 0.5
    assert wrong <= 0.02


def test_a_ring_is_told_with_what_would_be_usual() -> None:
    ring = with_rings(honest(10, tasks=120, seats=8, authors=20), 11, rings=1, rate=0.9)
    named = Labels.of(ring.rows)

    found = collusion(
        Answers(named.labels, categorical.fit(named.labels), ring.times), named.authors
    )

    assert ring.members == people(found)
    numbers = found[0].numbers
    assert float(numbers["agreement"]) > float(numbers["agreement_usual"]) + 0.1
    assert float(numbers["within_quarter_hour"]) > 0.4
    assert "texts_score" not in numbers
    one, two = found[0].pieces[0]
    assert named.labels.labels[one] == named.labels.labels[two]


def test_honest_people_are_no_ring() -> None:
    named = Labels.of(honest(12))

    assert [] == collusion(Answers(named.labels, categorical.fit(named.labels)), named.authors)
    few = Labels.of([(1, "a", "x"), (1, "b", "x")])
    assert [] == collusion(Answers(few.labels, categorical.fit(few.labels)), few.authors)


def crowd(name: str) -> list[Row]:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set; it names the folder that holds the real input.")
    with (Path(folder) / "crowd" / name / "labels.csv").open(encoding="utf-8") as file:
        return [(row["task"], row["worker"], row["label"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_spam_injected_into_real_crowds_is_found() -> None:
    areas = []
    for name in ("barzan", "bluebird", "cf_amt", "dog", "rte", "snow_temp", "sp_amt", "zc_in"):
        named = Labels.of(with_spam(crowd(name), 1))
        fit = categorical.fit(named.labels)
        told = information(np.asarray(fit.confusion, np.float64), fit.prior)
        spammer = np.array([str(author).startswith("spam") for author in named.authors])
        areas.append(area(-told, spammer))

    assert 0.92 <= np.mean(areas)


@pytest.mark.slow
def test_rings_injected_into_real_crowds_are_found() -> None:
    shares = [of_rings(crowd(name), 2) for name in ("cf_amt", "rte", "snow_temp")]
    right, wrong = np.mean(shares, axis=0)

    assert right >= 0.5
    assert wrong <= 0.02
