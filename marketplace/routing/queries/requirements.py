"""Whether anybody could ever show what a job asks for."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy.orm import Session

from marketplace.errors import Fault
from marketplace.jobs.models import Job
from marketplace.specialists.queries import catalogue

NEAREST_MAX = 3


def requirement_faults(session: Session, job: Job) -> list[Fault]:
    """A profession or specialty that the catalogue does not offer, with the nearest that it does.

    Nobody can show such a one, so the job would wait for ever. A specialty belongs to the job's
    profession, or to any where the job asks for none.
    """
    offered = catalogue(session).offered_professions()
    faults = []
    if job.profession is not None and job.profession not in offered:
        advice = _advice(job.profession, list(offered))
        faults.append(Fault("/requirements/profession", advice))
    asked = [offered[job.profession]] if job.profession in offered else list(offered.values())
    known = [key for each in asked for key in each.specialties]
    unknown = next((each for each in job.specialties if each not in known), None)
    if unknown is not None:
        faults.append(Fault("/requirements/specialties", _advice(unknown, known)))
    return faults


def _advice(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=NEAREST_MAX, cutoff=0.5)
    shown = f"“{word.replace('_', ' ')[:60]}”"
    if near:
        return f"Nobody can show {shown}. Did you mean {' or '.join(near)}?"
    return f"Nobody can show {shown}. The catalogue has {', '.join(known[:20]) or 'none'}."
