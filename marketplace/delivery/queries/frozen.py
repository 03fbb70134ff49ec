"""What stands in an export and may change later: as it was frozen for it, or as it is now."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.delivery.models import Export, ExportAuthor
from marketplace.delivery.queries.labels import beliefs_sql
from marketplace.jobs.models import Item, Job, Prelabel, TemplateVersion
from marketplace.quality.rules.ballots import Scheme
from marketplace.secrets import pseudonym
from marketplace.specialists import queries as specialists
from marketplace.tasktypes import Json, task_type
from marketplace.work.models import Addendum, Submission

AUTHORS = "authors"  # In `export.frozen` once its authors are.
BELIEFS = "beliefs"  # Likewise, once they are.
VERSION, DOMAIN, LAST = "template_version_id", "domain", "last_position"
Shown = Mapping[str, Any]
Attests = Callable[[UUID, datetime], Shown]


@dataclass(frozen=True, slots=True)
class Version:
    """A template with its number, and the hash of its instructions as text."""

    number: int
    template: Json
    guidelines_sha256: str


@dataclass(slots=True)
class Frozen:
    """The facts of an export that are the same for many of its rows.

    beliefs: the joins that say what is believed of an item.
    """

    task_type: str
    domain: str
    organisation_id: UUID
    versions: Mapping[UUID, Version]
    newest: UUID
    scheme: Scheme
    beliefs: str
    attests: Attests
    has_prelabels: bool
    has_addenda: bool
    _pseudonyms: dict[UUID, str] = field(default_factory=dict)

    def version(self, version_id: UUID | None) -> Version:
        """The version that an answer was given under; for items without one the newest."""
        return self.versions[version_id or self.newest]

    def attested(self, person_id: UUID, at: datetime) -> Shown:
        """What the lab may know of an author, as it held at a moment."""
        return self.attests(person_id, at)

    def pseudonym(self, person_id: UUID) -> str:
        """The name under which the lab knows an author."""
        known = self._pseudonyms.get(person_id)
        if known is None:
            known = pseudonym(str(self.organisation_id), str(person_id))
            self._pseudonyms[person_id] = known
        return known


def frozen_of(session: Session, export: Export) -> Frozen:
    """What was frozen for an export; what is so now where nothing was, as for a first look."""
    job = session.get_one(Job, export.job_id)
    kept = export.frozen or {}
    described = select(TemplateVersion).where(TemplateVersion.job_id == job.id)
    versions = {
        each.id: Version(each.number, each.template, bytes(each.instructions_sha256).hex())
        for each in session.scalars(described)
    }
    newest = UUID(kept[VERSION]) if VERSION in kept else job.template_version_id
    if newest is None:
        raise LookupError(f"The job {job.id} has no template.")
    said = select(Prelabel.item_id).join(Item, Item.id == Prelabel.item_id)
    added = select(Addendum.id).join(Submission, Submission.id == Addendum.submission_id)
    return Frozen(
        task_type=job.task_type,
        domain=kept.get(DOMAIN) or job.domain or "general",
        organisation_id=export.organisation_id,
        versions=versions,
        newest=newest,
        scheme=Scheme(task_type(job.task_type), versions[newest].template),
        beliefs=beliefs_sql(session, export, kept=bool(kept.get(BELIEFS))),
        attests=_authors(session, export) if kept.get(AUTHORS) else _now(session, export),
        has_prelabels=bool(session.scalar(select(said.where(Item.job_id == job.id).exists()))),
        has_addenda=bool(session.scalar(select(added.where(Submission.job_id == job.id).exists()))),
    )


def _authors(session: Session, export: Export) -> Attests:
    since: dict[UUID, list[datetime]] = defaultdict(list)
    shown: dict[UUID, list[Shown]] = defaultdict(list)
    asked = select(ExportAuthor).where(ExportAuthor.export_id == export.id)
    for each in session.scalars(asked.order_by(ExportAuthor.person_id, ExportAuthor.since)):
        since[each.person_id].append(each.since)
        shown[each.person_id].append(each.shown)

    def attests(person_id: UUID, at: datetime) -> Shown:
        place = bisect_right(since.get(person_id, ()), at)
        return shown[person_id][place - 1] if place else {}

    return attests


def _now(session: Session, export: Export) -> Attests:
    known: dict[tuple[UUID, datetime], Shown] = {}

    def attests(person_id: UUID, at: datetime) -> Shown:
        moment = person_id, at
        if moment not in known:
            found = specialists.attested_at(
                session, export.organisation_id, [moment], crowd_at=export.as_of
            )
            known[moment] = shown_of(found[moment].credentials)
        return known[moment]

    return attests


def shown_of(attested: Sequence[specialists.Attested]) -> dict[str, Any]:
    """The strongest credential as it may be shown: never an identifier, the month at most.

    Empty specialties, and None elsewhere, stand for what fewer than five people would share.
    """
    if not attested:
        return {}
    best = attested[0]
    return {
        "profession": best.profession,
        "specialties": sorted(best.specialties),
        "jurisdiction": best.jurisdiction or None,
        "checked_month": best.checked_month.isoformat()[:7] if best.checked_month else None,
    }
