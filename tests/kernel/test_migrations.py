"""The way back: what came in since must not bar it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from marketplace import clock, db
from marketplace.actor import SYSTEM
from marketplace.cli.migrate import downgrade, role_of, upgrade
from marketplace.db import transaction
from marketplace.jobs import service
from marketplace.jobs.models import Item, JobImport
from marketplace.jobs.rules import ImportKind
from marketplace.ledger import queries as ledger
from marketplace.quality.models import Skill
from marketplace.review import queries as review
from marketplace.review import service as service_of_review
from marketplace.review.models import Decision, HeldDecision, ReviewDraw
from marketplace.review.rules import OverturnCause, Policy, Verdict
from marketplace.review.rules.brake import REJECTIONS_MIN
from marketplace.settings import Settings
from marketplace.work import queries as work
from tests.make import identity, jobs
from tests.make.appeals import REASON, rejected
from tests.review.world import world

BEFORE_IMPORTS = "0024_versions"
BEFORE_QUALITY = "0035_late_finds"


@pytest.fixture
def undone(committed: Engine, settings: Settings) -> Iterator[Engine]:
    """A database that is at its newest form again afterwards."""
    yield committed
    upgrade(settings.owner_database_url, app_role=role_of(settings.database_url))
    committed.dispose()


def test_imports_of_new_forms_do_not_bar_the_way_back(undone: Engine, settings: Settings) -> None:
    with transaction() as session:
        lab = identity.lab_owner(session)
        job = jobs.filled(session, lab, items=2)
        for kind, held in ((ImportKind.PARQUET, False), (None, True), (ImportKind.JSONL, False)):
            wish = service.Wish(kind=kind)
            service.start_import(
                session, lab, job.id, "imports/x", filename="x", wish=wish, held=held
            )
    undone.dispose()
    app = role_of(settings.database_url)

    downgrade(settings.owner_database_url, app_role=app, revision=BEFORE_IMPORTS)
    upgrade(settings.owner_database_url, app_role=app)

    with transaction() as session:
        assert [ImportKind.JSONL] == session.scalars(select(JobImport.kind)).all()
        assert 2 == session.scalar(select(func.count()).select_from(Item))
    assert db.engine() is undone


@pytest.mark.slow
def test_quality_goes_and_comes_back_with_work_in_hand(undone: Engine, settings: Settings) -> None:
    with transaction() as session:
        here = world(session, items=14, policy=Policy(second_look_ratio=1))
        given = [here.answered() for _ in range(REJECTIONS_MIN + 2)]
        for each in given:  # Rejections, some of them held, and second looks at the others.
            here.said(each, Verdict.REJECT, by=here.reviewers[0])
        here.said(here.answered(), Verdict.REWORK)
        here.said(here.answered())
        waiting = here.answered()
        service_of_review.file_appeal(session, here.doctors[0], given[0].id, reason=REASON)
        for row in session.scalars(select(Skill)):
            row.right = row.weight / 3
        assert [] == here.sound()
    undone.dispose()
    app = role_of(settings.database_url)

    downgrade(settings.owner_database_url, app_role=app, revision=BEFORE_QUALITY)
    upgrade(settings.owner_database_url, app_role=app)

    with transaction() as session:
        checks = (ledger.broken_invariants, work.broken_invariants, review.broken_invariants)
        assert [] == [said for check in checks for said in check(session)]
        lots = session.execute(select(ReviewDraw.submission_id, ReviewDraw.due_at)).all()
        again = {*(each.id for each in given[REJECTIONS_MIN:]), waiting.id}
        assert again == {row.submission_id for row in lots}  # What was held waits for review.
        assert all(row.due_at for row in lots)
        assert 0 == session.scalar(select(func.count()).select_from(HeldDecision))
    while_waiting = 0
    with clock.shifted(timedelta(days=30)):
        accepted = True
        while accepted:
            with transaction() as session:
                accepted = service_of_review.accept_next_overdue(session, clearance_days=7)
            while_waiting += accepted
    assert len(again) == while_waiting


def test_what_was_overturned_bars_the_way_back_whole(undone: Engine, settings: Settings) -> None:
    with transaction() as session:
        *_, submission = rejected(session)
        service_of_review.overturn(
            session,
            SYSTEM,
            submission.id,
            verdict=Verdict.ACCEPT,
            cause=OverturnCause.GOLD_DISPUTED,
            note=REASON,
            clearance_days=7,
        )
    undone.dispose()
    app = role_of(settings.database_url)

    with pytest.raises(DBAPIError):
        downgrade(settings.owner_database_url, app_role=app, revision=BEFORE_QUALITY)
    upgrade(settings.owner_database_url, app_role=app)  # Whatever had gone is there again.

    with transaction() as session:
        assert [] == review.broken_invariants(session)
        assert 2 == session.scalar(select(func.count()).select_from(Decision))
