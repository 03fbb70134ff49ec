"""The way back: what came in since must not bar it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select

from marketplace import db
from marketplace.cli.migrate import downgrade, role_of, upgrade
from marketplace.db import transaction
from marketplace.jobs import service
from marketplace.jobs.models import Item, JobImport
from marketplace.jobs.rules import ImportKind
from marketplace.settings import Settings
from tests.make import identity, jobs

BEFORE_IMPORTS = "0024_versions"


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
