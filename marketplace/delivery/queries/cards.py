"""What a lab says of a job for its cards, and the cards of exports."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.models import DataCard, Export, ExportCard
from marketplace.delivery.queries.facts import facts_of
from marketplace.delivery.queries.records import export_of
from marketplace.delivery.rules.bundle import formats_of
from marketplace.delivery.rules.card import Table, readme
from marketplace.delivery.rules.facts import Facts
from marketplace.ids import ExportId, JobId
from marketplace.jobs import queries as jobs
from marketplace.tasktypes import task_type


def data_card_of(session: Session, viewer: Actor, job_id: JobId) -> DataCard | None:
    """What the lab says of a job; None before it said anything."""
    return session.get(DataCard, jobs.job_of(session, viewer, job_id).id)


def card_facts(session: Session, export: Export) -> Facts:
    """The facts of an export's card: those that were kept, else those of now.

    The caller has authorised that the viewer sees the export.
    """
    kept = session.get(ExportCard, export.id)
    return Facts.read(kept.facts) if kept else facts_of(session, export)


def card_of(session: Session, viewer: Actor, export_id: ExportId) -> str:
    """The card of an export, Markdown with YAML at its head; a folder's as it stands in it.

    Before an export is written its card tells what is known until then.
    """
    export = export_of(session, viewer, export_id)
    kept = session.get(ExportCard, export.id)
    if kept is not None and kept.readme is not None:
        return kept.readme
    facts = card_facts(session, export)
    exporter = formats_of(task_type(facts.task_type))[export.format]
    table = Table(
        config=export.format,
        title=exporter.title,
        path=export.filename,
        rows=export.rows or 0,
        bytes=export.bytes or 0,
        counts=export.counts or {},
    )
    return readme(facts, [table])
