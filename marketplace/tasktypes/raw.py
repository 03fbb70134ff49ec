"""The envelope: every accepted judgement with all that may be told about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import datetime

from marketplace.tasktypes.exports import Counts, Exporter, ExportRow, Policy, line
from marketplace.tasktypes.formats.envelope import RAW
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import Units, majorities

SCHEMA_VERSION = 2  # 1 had neither history nor gold, skill, idle time and the row's own hash.


def raw_exporter(units: Callable[[Json], Units]) -> Exporter:
    """One row for each judgement, whatever the policy.

    Under `majority` each row also carries `majority`: the label of every unit that has one, so
    that a reader need not count votes and still sees the dissent. Under `model` the one row of an
    item carries `labels`, what is believed of each unit and how sure that is.
    """

    def convert(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
        for record in records:
            if not record.judgements:
                counts.drop("no_judgement")
            settled = _settled(record, units) if policy is Policy.MAJORITY else {}
            digest = content_sha256(record.payload)
            for given in record.in_order():
                counts.keep()
                row = envelope(record, given, digest)
                if record.labelled_by is not None:
                    row["labels"] = {unit: dict(said) for unit, said in record.labels.items()}
                    row["labelled_by"] = record.labelled_by
                if policy is Policy.MAJORITY:
                    row["majority"] = {unit: as_json(label) for unit, label in settled.items()}
                row["row_sha256"] = hashlib.sha256(line(row)).hexdigest()
                yield row

    return RAW.by(convert)


def _settled(record: Record, units: Callable[[Json], Units]) -> Mapping[str, Hashable]:
    return majorities([units(given.judgement) for given in record.judgements])


def envelope(record: Record, given: AuthoredJudgement, digest: str) -> ExportRow:
    """The row of one judgement; the item's payload stands in every row of the item.

    Its `row_sha256` is that of its line without this field. What the hand-in fixed stands under the
    names of `verify.seal.SEALED`, so that whoever has the proof can open its commitment.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "annotation_id": given.annotation_id,
        "item_id": record.item_id,
        "external_id": record.external_id,
        "task_type": record.task_type,
        "template_version": given.template_version or record.template_version,
        "guidelines_sha256": given.guidelines_sha256,
        "item_content_sha256": digest,
        "payload": record.payload,
        "is_gold": record.is_gold,
        "judgement": given.judgement,
        "rationale": given.rationale,
        "rationale_claims": list(given.rationale_claims),
        "confidence": given.confidence,
        "flags": list(given.flags),
        "references": list(given.references),
        "ai_policy": given.ai_policy,
        "ai_use": given.ai_use,
        "presented_order": list(given.presented_order),
        "author": {"pseudonym": given.author, "kind": given.author_kind, **given.attested},
        "opened_at": given.opened_at,
        "submitted_at": given.submitted_at,
        "active_seconds": given.active_seconds,
        "idle_seconds": idle_seconds(given.spent),
        "spent": [dict(each) for each in given.spent],
        "surplus": given.surplus,
        "repeats": given.repeats,
        "round": given.round,
        "addenda": [dict(added) for added in given.addenda],
        "prelabels": [dict(said) for said in record.prelabels],
        "review": dict(given.review) if given.review is not None else None,
        "history": [dict(each) for each in given.history],
        "quality": {
            "judgements_on_item": len(record.judgements),
            "gold": dict(given.gold) if given.gold is not None else None,
            "skill": dict(given.skill) if given.skill is not None else None,
        },
    }


def idle_seconds(spent: Iterable[Mapping[str, str]]) -> int:
    """Whole seconds away from the task, of the stretches that were told."""
    away = [each for each in spent if each.get("kind") == "idle"]
    return int(
        sum(
            (
                datetime.fromisoformat(each["ended_at"])
                - datetime.fromisoformat(each["started_at"])
            ).total_seconds()
            for each in away
        )
    )


def content_sha256(payload: Json) -> str:
    """The hash of an item's content, hexadecimal, equal for equal content."""
    return hashlib.sha256(line(payload)).hexdigest()


def as_json(label: Hashable) -> object:
    return label if isinstance(label, str | int | float | bool) else str(label)
