"""What an export says of an item: each judgement for itself, or what most of them say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from marketplace.tasktypes.exports import Counts, Policy
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trajectory_rules import rated
from marketplace.tasktypes.votes import majority

VOTED = ("outcome", "side_effects", "optimality", "looping", "responsible_agent", "fault")


@dataclass(frozen=True, slots=True)
class Ballot:
    """One answer about one run. ratings: by step, implied ones too; by: whose words they are,
    under a majority the first who agrees with it; votes: how many were asked."""

    record: Record
    judgement: Json
    ratings: dict[str, int]
    by: AuthoredJudgement
    votes: int


def ballots(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[Ballot]:
    """Each judgement under `all`, one answer an item under `majority`; drops items without any."""
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
        elif policy is Policy.MAJORITY:
            yield _settled(record, given)
        else:
            for one in given:
                yield Ballot(record, one.judgement, _rated(record, one), one, 1)


def _rated(record: Record, one: AuthoredJudgement) -> dict[str, int]:
    return rated(record.template, record.payload, one.judgement)


def _settled(record: Record, given: list[AuthoredJudgement]) -> Ballot:
    judgements = [one.judgement for one in given]
    settled: Json = {}
    for name in VOTED:
        said = [_key(each[name]) for each in judgements if name in each]
        label = majority(said)
        if label is not None:
            settled[name] = next(
                each[name] for each in judgements if name in each and _key(each[name]) == label
            )
    # Silence about the first error is a vote of its own kind only where somebody says so.
    firsts = [each.get("first_error_step", "") for each in judgements if _spoke_of_errors(each)]
    first = majority(firsts)
    if first:
        settled["first_error_step"] = first
    elif first == "":
        settled["error_free"] = True
    by = next((one for one in given if _agrees(one.judgement, first)), given[0])
    if first and "reason" in by.judgement:
        settled["reason"] = by.judgement["reason"]
    return Ballot(record, settled, _settled_ratings(record, given), by, len(given))


def _key(value: object) -> str:
    return repr(sorted(value.items())) if isinstance(value, dict) else str(value)


def _spoke_of_errors(judgement: Json) -> bool:
    return "first_error_step" in judgement or bool(judgement.get("error_free"))


def _agrees(judgement: Json, first: str | None) -> bool:
    return first is not None and judgement.get("first_error_step", "") == first


def _settled_ratings(record: Record, given: list[AuthoredJudgement]) -> dict[str, int]:
    every = [_rated(record, one) for one in given]
    named = dict.fromkeys(name for ratings in every for name in ratings)
    voted = {
        name: majority(ratings[name] for ratings in every if name in ratings) for name in named
    }
    return {name: rating for name, rating in voted.items() if rating is not None}
