"""Fits of whole jobs: posteriors, authors and agreement set right after what came in."""

from __future__ import annotations

import time
from uuid import UUID

from marketplace import outbox
from marketplace.db import transaction
from marketplace.quality import service
from marketplace.quality.rules.polls import fitted
from marketplace.quality.rules.strengths import strengths_of
from marketplace.quality.service import fit_rows, fits


@outbox.background("quality.fit_job", time_limit_seconds=1_800)
def fit_job(work: outbox.Work, job_id: str) -> None:
    """Fit a job anew from its votes: read in chunks, worked out without a connection, written."""
    began = time.monotonic()
    with transaction() as session:
        outbox.release_key(session, work)
        begun = fits.begin_fit(session, UUID(job_id))
    more = begun is not None
    while begun is not None and more:
        with transaction() as session:
            more = fits.read_votes(session, begun)
    if begun is not None:
        _write(begun, began)
    with transaction() as session:
        outbox.done(session, work)


def _write(begun: fits.Begun, began: float) -> None:
    asked = {question: fitted(poll, begun.scheme) for question, poll in begun.polls.items()}
    found = {question: each for question, each in asked.items() if each is not None}
    compared = strengths_of(begun.contests)
    seconds = time.monotonic() - began
    with transaction() as session:
        if not fits.write_fit(session, begun, found, seconds=seconds, strengths=compared):
            return
    for rows in fit_rows.of_posteriors(begun.polls, begun.scheme, found, begun.revisions):
        with transaction() as session:
            fits.write_posteriors(session, begun, rows)
    with transaction() as session:
        fits.drop_stale(session, begun)
    for lesson in fits.lessons_of(begun, found):
        with transaction() as session:
            fits.learn_consensus(session, begun, lesson)


@outbox.background("quality.fit_changed", time_limit_seconds=60, every_seconds=5)
def fit_changed(work: outbox.Work) -> None:
    """Have those jobs fitted that had a submission which asked for no fit by itself."""
    with transaction() as session:
        for job_id in fits.jobs_to_fit(session):
            service.ask_for_fit(session, job_id)
        outbox.done(session, work)
