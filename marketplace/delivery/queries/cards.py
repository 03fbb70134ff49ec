"""What a lab says of a job for its cards, and the cards of exports."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.models import DataCard, Export, ExportCard
from marketplace.delivery.queries.facts import facts_of
from marketplace.delivery.rules.facts import Facts
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs


def data_card_of(session: Session, viewer: Actor, job_id: JobId) -> DataCard | None:
    """What the lab says of a job; None before it said anything."""
    return session.get(DataCard, jobs.job_of(session, viewer, job_id).id)


def card_facts(session: Session, export: Export) -> Facts:
    """The facts of an export's card: those that were kept, else those of now.

    The caller has authorised that the viewer sees the export.
    """
    kept = session.get(ExportCard, export.id)
    return Facts.read(kept.facts) if kept else facts_of(session, export)
