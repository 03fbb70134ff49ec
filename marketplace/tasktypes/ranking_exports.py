"""Rankings as pairs for reward models and preference optimisation, and as ranked replies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import Convert, Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import preferences as formats
from marketplace.tasktypes.label_studio.comparisons import RANKING as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trees import Tree, spoken_of, system_of
from marketplace.tasktypes.votes import Units, majority

STRONGEST = 3


def units(judgement: Json) -> Units:
    """One unit a pair of ranked responses, `{"r1|r2": "r2"}`; the label is the better, or tie."""
    places = {name: place for place, tier in enumerate(judgement["tiers"]) for name in tier}
    return {
        f"{first}|{second}": better(places, first, second)
        for first, second in combinations(sorted(places), 2)
    }


def better(places: dict[str, int], first: str, second: str) -> str:
    if places[first] == places[second]:
        return "tie"
    return first if places[first] < places[second] else second


@dataclass(frozen=True, slots=True)
class Pair:
    """One response over another; weight: one over the pairs of its ranking."""

    record: Record
    chosen: str
    rejected: str
    weight: float


def pairs(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[Pair]:
    """Every pair across tiers; the caller keeps it or drops it, all others are counted here.

    Under `majority` each pair of an item is put to the vote by itself.
    """
    for record in records:
        ballots = [units(given.judgement) for given in record.in_order()]
        if not ballots:
            counts.drop("no_judgement")
        for ballot in [pair_votes(ballots)] if policy is Policy.MAJORITY else ballots:
            yield from pairs_of(record, ballot, counts)


def pair_votes(ballots: list[Units]) -> Units:
    named = sorted({unit for ballot in ballots for unit in ballot})
    return {
        unit: majority(str(ballot[unit]) for ballot in ballots if unit in ballot) for unit in named
    }


def pairs_of(record: Record, ballot: Units, counts: Counts) -> Iterator[Pair]:
    texts = texts_of(record)
    decided = [unit for unit in ballot if ballot[unit] in texts]
    for first, second in combinations(sorted(texts), 2):
        unit = f"{first}|{second}"
        if unit not in ballot:
            counts.drop("unrankable")
        elif unit not in decided:
            counts.drop("no_majority" if ballot[unit] is None else "tie")
        else:
            chosen = str(ballot[unit])
            rejected = second if chosen == first else first
            yield Pair(record, texts[chosen], texts[rejected], round(1 / len(decided), 6))


def texts_of(record: Record) -> dict[str, str]:
    return {each["id"]: each["text"] for each in record.payload["responses"]}


def _kept(write: Callable[[Pair], ExportRow]) -> Convert:
    def convert(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
        for pair in pairs(records, policy, counts):
            counts.keep()
            yield write(pair)

    return convert


def trl_row(pair: Pair) -> ExportRow:
    """TRL preference; `weight` makes the pairs of one ranking sum to one."""
    record = pair.record
    row = preferences.trl_pair(record.external_id, record.payload, pair.chosen, pair.rejected)
    return {**row, "weight": pair.weight}


def openai_row(pair: Pair) -> ExportRow:
    return preferences.openai_pair(pair.record.payload, pair.chosen, pair.rejected)


def hh_rlhf(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for pair in pairs(records, policy, counts):
        prompt = preferences.prompt_of(pair.record.payload)
        row = preferences.hh_row(prompt, pair.chosen, pair.rejected, counts)
        if row is not None:
            yield row


def helpsteer3(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row for each pair of an item that somebody ranked, with everybody's score of it.

    A score is how many tiers lie between the two, three at most. Under `majority` the overall
    score is the mean of those who agree on the better of the two.
    """
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
            continue
        texts = texts_of(record)
        for first, second in combinations(sorted(texts), 2):
            told = scores_of(given, first, second)
            heard = [score for _, score in told]
            if policy is Policy.MAJORITY:
                heard = agreeing(heard)
            if not told:
                counts.drop("unrankable")
            elif not heard:
                counts.drop("no_majority")
            else:
                counts.keep()
                counts.note("tie", sum(score == 0 for _, score in told))
                overall = preferences.rounded_mean(heard)
                said = [(score, one.rationale or "") for one, score in told]
                yield preferences.helpsteer3_row(
                    record, (texts[first], texts[second]), overall, said
                )


def scores_of(
    given: list[AuthoredJudgement], first: str, second: str
) -> list[tuple[AuthoredJudgement, int]]:
    """What each who ranked both says of them: -3 (the first is much better) to 3."""
    found = []
    for one in given:
        places = {name: at for at, tier in enumerate(one.judgement["tiers"]) for name in tier}
        if first in places and second in places:
            apart = places[first] - places[second]
            found.append((one, max(-STRONGEST, min(STRONGEST, apart))))
    return found


def agreeing(scores: list[int]) -> list[int]:
    """The scores that name the better one as most do; none where most do not agree."""
    most = majority((score > 0) - (score < 0) for score in scores)
    return [score for score in scores if (score > 0) - (score < 0) == most]


def oasst(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """A tree for each judgement: the prompt, and the responses ranked below it."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        messages = preferences.prompt_of(record.payload)
        spoken = spoken_of(messages)
        for given in record.in_order():
            if not spoken or spoken[0]["role"] == "assistant":
                counts.drop("assistant_began")
                continue
            counts.keep()
            tree = Tree(record, given)
            tree.open(spoken)
            for at, (name, text) in enumerate(texts_of(record).items()):
                rank = rank_of(given.judgement, name)
                tree.reply(f"r{at}", text, rank=rank)
                counts.note("unrankable", rank is None)
            yield tree.row(system_of(messages))


def rank_of(judgement: Json, name: str) -> int | None:
    """The tier of a response, 0 the best; None for one that could not be ranked."""
    return next((at for at, tier in enumerate(judgement["tiers"]) if name in tier), None)


EXPORTS = catalogue(
    formats.HELPSTEER3.by(
        helpsteer3,
        says="A ranking gives a row for each pair of responses; its scores are how many places lie "
        "between the two.",
    ),
    formats.TRL_PREFERENCE.by(_kept(trl_row), more=(formats.WEIGHT,)),
    formats.OPENAI_DPO.by(_kept(openai_row)),
    formats.HH_RLHF.by(hh_rlhf),
    formats.OASST.by(oasst),
    label_studio(LABEL_STUDIO),
)
