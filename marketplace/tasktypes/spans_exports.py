"""Spans as rows for doccano, spaCy, CoNLL and Label Studio.

Under `majority` an item gives one row with what more than half of its judgements marked alike
(same offsets, same label); the counts are then of marked spans. Under `all` each judgement gives
one row and counts once; CoNLL counts spans under both, since it must leave some out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence

from marketplace.tasktypes.docbin import GROUP, doc_row
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import VOTED
from marketplace.tasktypes.formats.texts import (
    CONLL,
    DOCCANO,
    DOCCANO_RELATIONS,
    SPACY,
    SPACY_DOCBIN,
)
from marketplace.tasktypes.label_studio.spans import SPANS as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.spans_score import extent, tokens, without_overlap
from marketplace.tasktypes.votes import majority


def ballots(
    record: Record, policy: Policy, counts: Counts
) -> Iterator[tuple[AuthoredJudgement | None, Json]]:
    """What becomes rows: each judgement with its author, or what most of them say."""
    given = record.in_order()
    if not given:
        counts.drop("no_judgement")
    elif policy is Policy.MAJORITY:
        yield None, settled([one.judgement for one in given], counts)
    else:
        for one in given:
            counts.keep()
            yield one, in_order(one.judgement)


def in_order(judgement: Json) -> Json:
    """The judgement with its spans in the order of the text."""
    spans = sorted(judgement["spans"], key=lambda span: (*extent(span), str(span["label"])))
    return {"relations": [], "cats": [], **judgement, "spans": spans}


def settled(judgements: Sequence[Json], counts: Counts) -> Json:
    """What more than half of the judgements mark; a span that fewer mark is dropped."""
    marked: dict[tuple[int, int, str], list[Json]] = {}
    for judgement in judgements:
        for span in judgement["spans"]:
            marked.setdefault(mark(span), []).append(span)
    ids = {}
    spans: list[Json] = []
    for name, same in sorted(marked.items()):
        if 2 * len(same) <= len(judgements):
            counts.drop("no_majority")
            continue
        counts.keep()
        ids[name] = f"s{len(spans) + 1}"
        spans.append(merged(ids[name], same))
    if not marked:
        # Nobody marked anything, which is an answer too.
        counts.keep()
    cats = Counter(name for each in judgements for name in each.get("cats", []))
    return {
        "spans": spans,
        "relations": settled_relations(judgements, ids),
        "cats": sorted(name for name, votes in cats.items() if 2 * votes > len(judgements)),
    }


def mark(span: Json) -> tuple[int, int, str]:
    return (*extent(span), str(span["label"]))


def merged(name: str, same: Sequence[Json]) -> Json:
    """One span for several alike, with what most of them say of it."""
    found = {key: same[0][key] for key in ("start", "end", "label", "text")}
    said: dict[str, Hashable] = {
        "negated": majority(bool(span.get("negated")) for span in same) or None,
        "kb_id": majority(span.get("kb_id") for span in same),
    }
    keys = sorted({key for span in same for key in span.get("attributes", {})})
    answers = {key: majority(span.get("attributes", {}).get(key) for span in same) for key in keys}
    attributes = {key: value for key, value in answers.items() if value is not None}
    told = {key: value for key, value in said.items() if value is not None}
    return {"id": name, **found, **told, **({"attributes": attributes} if attributes else {})}


def settled_relations(
    judgements: Sequence[Json], ids: dict[tuple[int, int, str], str]
) -> list[Json]:
    votes: Counter[tuple[str, str, str]] = Counter()
    for judgement in judgements:
        names = {span["id"]: ids.get(mark(span)) for span in judgement["spans"]}
        for relation in judgement.get("relations", []):
            source, target = names[relation["source"]], names[relation["target"]]
            if source and target:
                votes[source, str(relation["type"]), target] += 1
    return [
        {"source": source, "type": kind, "target": target}
        for (source, kind, target), number in sorted(votes.items())
        if 2 * number > len(judgements)
    ]


def doccano(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """`{"text", "label": [[start, end, "L"]]}`, as doccano's sequence labelling reads it."""
    for record in records:
        for _, judgement in ballots(record, policy, counts):
            yield {
                "id": record.external_id,
                "text": record.payload["text"],
                "label": [[*extent(span), span["label"]] for span in judgement["spans"]],
                **({"cats": judgement["cats"]} if judgement["cats"] else {}),
            }


def doccano_relations(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """`{"text", "entities", "relations"}` with numbered entities, as doccano writes them."""
    for record in records:
        for _, judgement in ballots(record, policy, counts):
            numbers = {span["id"]: at for at, span in enumerate(judgement["spans"])}
            yield {
                "id": record.external_id,
                "text": record.payload["text"],
                "entities": [
                    {
                        "id": numbers[span["id"]],
                        "start_offset": extent(span)[0],
                        "end_offset": extent(span)[1],
                        "label": span["label"],
                    }
                    for span in judgement["spans"]
                ],
                "relations": [
                    {
                        "id": at,
                        "from_id": numbers[relation["source"]],
                        "to_id": numbers[relation["target"]],
                        "type": relation["type"],
                    }
                    for at, relation in enumerate(judgement["relations"])
                ],
            }


def spacy(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """A text with the annotations that spaCy's `Example.from_dict` reads.

    `spans` holds every span under spaCy's key `sc`; `entities`, which cannot overlap, holds the
    longest of those that do. spaCy takes a span of `spans` only where it begins and ends with one
    of its own tokens: one that cuts a token is put right before, by `Doc.char_span` with its
    `alignment_mode`.
    """
    for record in records:
        names = [str(each["name"]) for each in record.template.get("cats", [])]
        for _, judgement in ballots(record, policy, counts):
            flat, left = without_overlap(judgement["spans"])
            counts.note("overlap", len(left))
            group = [
                [*extent(span), span["label"], span.get("kb_id", "")] for span in judgement["spans"]
            ]
            yield {
                "id": record.external_id,
                "text": record.payload["text"],
                "annotations": {
                    "entities": [[*extent(span), span["label"]] for span in flat],
                    "spans": {GROUP: group},
                    "cats": {name: float(name in judgement["cats"]) for name in names},
                },
            }


def conll(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Tokens with IOB2 tags; of spans that overlap the longest is kept, the others are counted."""
    for record in records:
        aside = Counts()
        for _, judgement in ballots(record, policy, aside):
            spans, left = without_overlap(judgement["spans"])
            for _ in left:
                counts.drop("overlap")
            yield iob2(record, spans, counts)
        counts.read += sum(aside.dropped.values())
        counts.dropped += aside.dropped


def iob2(record: Record, spans: Sequence[Json], counts: Counts) -> ExportRow:
    """One text as tokens, tags and the numbers of tokens after which a sentence ends."""
    text = record.payload["text"]
    words: list[str] = []
    tags: list[str] = []
    breaks: list[int] = []
    at, last, used = 0, 0, set()
    for start, end in tokens(text, spans):
        while at < len(spans) and extent(spans[at])[1] <= start:
            at += 1
        inside = at < len(spans) and extent(spans[at])[0] <= start
        if "\n" in text[last:start] and words and not (inside and at in used):
            breaks.append(len(words))
        words.append(text[start:end])
        # A blank would end the column.
        name = "_".join(str(spans[at]["label"]).split()) if inside else ""
        tags.append(f"{'I' if at in used else 'B'}-{name}" if inside else "O")
        used |= {at} if inside else set()
        last = end
    for number in range(len(spans)):
        if number in used:
            counts.keep()
        else:
            counts.drop("no_token")
    return {"id": record.external_id, "tokens": words, "tags": tags, "breaks": breaks}


def spacy_docbin(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """A text by tokens with its spans, entities and labels, as a DocBin holds them."""
    for record in records:
        names = [str(each["name"]) for each in record.template.get("cats", [])]
        for _, judgement in ballots(record, policy, counts):
            row = doc_row(record.external_id, record.payload["text"], judgement, names)
            counts.note("overlap", len(row["spans"]) - len(row["entities"]))
            yield row


EXPORTS = catalogue(
    DOCCANO.by(doccano),
    DOCCANO_RELATIONS.by(doccano_relations),
    SPACY_DOCBIN.by(spacy_docbin),
    SPACY.by(spacy),
    CONLL.by(conll),
    label_studio(LABEL_STUDIO, ballots=ballots, policies=VOTED),
)
