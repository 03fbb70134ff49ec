"""Files larger than a form may be go through the API as well."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from tests.journeys.conftest import Program
from tests.make import background, identity, jobs, uploads


def test_a_file_over_the_limit_of_forms_is_imported(
    session: Session, program: Callable[[Actor], Program]
) -> None:
    lab = identity.lab_owner(session)
    job = jobs.draft(session, lab)
    rows = [jobs.line(f"item-{n}", jobs.pair(n, a="long " * 20_000)) for n in range(40)]
    form = uploads.form("items.jsonl", b"\n".join(rows))

    started = program(lab).post(f"/jobs/{job.id}/imports", 202, **form)
    background.run_all()

    done = program(lab).get(f"/imports/{started['id']}")
    assert ("done", 40, 0) == (done["state"], done["accepted"], done["rejected"])
