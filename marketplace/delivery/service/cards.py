"""The verbs of cards: what a lab says of its data, and the keeping of an export's facts."""

from __future__ import annotations

import re

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.delivery.models import DataCard, Export, ExportCard
from marketplace.delivery.queries.facts import facts_of
from marketplace.delivery.rules.facts import LabWords
from marketplace.delivery.rules.licences import Licence
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs

TITLE_MAX, TEXT_MAX = 200, 4_000
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def describe_data(session: Session, actor: Actor, job_id: JobId, words: LabWords) -> DataCard:
    """Keep what a lab says of a job; cards of exports asked for from now on tell it.

    Raises Faulty for a language that is no code, another licence without a name, and long texts.
    """
    actor.require(Permission.EXPORTS_CREATE)
    job = jobs.job_of(session, actor, job_id)
    faults = _faults(words)
    if faults:
        raise Faulty("Some of what you say of the data needs mending.", faults)
    licence = Licence(words.licence)
    named = words.licence_words.strip() if licence is Licence.OTHER else ""
    said = {
        "title": words.title.strip(),
        "licence": licence,
        "licence_words": named,
        "languages": list(words.languages),
        "intended_use": words.intended_use.strip(),
        "limits": words.limits.strip(),
        "contact": words.contact.strip(),
        "updated_by": actor.person(),
        "updated_at": clock.now(),
    }
    stated = insert(DataCard).values(job_id=job.id, **said)
    session.execute(stated.on_conflict_do_update(index_elements=["job_id"], set_=said))
    audit.record(session, actor, "described data", job.id, licence=licence.value)
    return session.get_one(DataCard, job.id, populate_existing=True)


def freeze_card(session: Session, export: Export) -> None:
    """Keep the facts of an export's card, once; a later call changes nothing."""
    if session.get(ExportCard, export.id) is not None:
        return
    facts = facts_of(session, export).as_json()
    kept = insert(ExportCard).values(export_id=export.id, facts=facts, frozen_at=clock.now())
    session.execute(kept.on_conflict_do_nothing())


def keep_readme(session: Session, export: Export, readme: str) -> None:
    """Keep the card of a folder as it stands in it; the same text whenever it is written."""
    kept = session.get_one(ExportCard, export.id)
    if kept.readme is None:
        kept.readme = readme


def _faults(words: LabWords) -> list[Fault]:
    faults = []
    if words.licence not in set(Licence):
        faults.append(Fault("/licence", f"Choose one of {', '.join(Licence)}."))
    if words.licence == Licence.OTHER and not words.licence_words.strip():
        faults.append(Fault("/licence_words", "Say what the licence is called."))
    wrong = [each for each in words.languages if not _LANGUAGE.fullmatch(each)]
    if wrong or len(words.languages) > 20:
        faults.append(Fault("/languages", "Write codes such as “en” or “pt-BR”, at most twenty."))
    long = {"title": TITLE_MAX, "licence_words": TITLE_MAX, "contact": TITLE_MAX}
    for name in ("title", "licence_words", "intended_use", "limits", "contact"):
        most = long.get(name, TEXT_MAX)
        if len(getattr(words, name)) > most:
            faults.append(Fault(f"/{name}", f"Write at most {most:,} characters."))
    return faults
