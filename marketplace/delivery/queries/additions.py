"""What stands beside judgements and comes from tables of its own, for some rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.delivery.models import Export
from marketplace.delivery.queries import judged
from marketplace.delivery.queries.frozen import Frozen
from marketplace.delivery.queries.standing import ADDED, after, values
from marketplace.work import queries as work

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Additions:
    """By the id of an item what models said of it; by that of a judgement what its author added,
    and what more is told of it."""

    prelabels: Mapping[str, Sequence[Told]] = field(default_factory=dict)
    addenda: Mapping[str, Sequence[Told]] = field(default_factory=dict)
    told: Mapping[str, Told] = field(default_factory=dict)


def additions_of(session: Session, export: Export, rows: Sequence[Any], known: Frozen) -> Additions:
    """What is told beside some rows of an export, each with its item_id and its id."""
    ids = [UUID(row.id) for row in rows if row.id is not None]
    prelabels: Mapping[str, Sequence[Told]] = {}
    if known.has_prelabels:
        items = {UUID(row.item_id) for row in rows}
        said = work.prelabels_of(session, items, until=export.as_of)
        prelabels = {str(item_id): each for item_id, each in said.items() if each}
    addenda = _addenda(session, export, ids) if known.has_addenda else {}
    told = {str(each): said for each, said in judged.told_of(session, export, ids).items()}
    return Additions(prelabels, addenda, told)


def _addenda(
    session: Session, export: Export, ids: Collection[UUID]
) -> Mapping[str, Sequence[Told]]:
    """What authors had added by the export's event: all but as many as were added since."""
    counted = f"""SELECT event.subject_id, count(*) AS added FROM event
      WHERE event.job_id = :job_id AND {after(export)} AND event.kind = '{ADDED}'
      GROUP BY event.subject_id"""  # noqa: S608 - the condition is one of three of our own.
    given = values(export)
    bound = {name: given[name] for name in given if f":{name}" in counted}
    since = {row.subject_id: row.added for row in session.execute(text(counted), bound)}
    found = work.addenda_of(session, ids)
    return {str(each): added[: len(added) - since.get(each, 0)] for each, added in found.items()}
