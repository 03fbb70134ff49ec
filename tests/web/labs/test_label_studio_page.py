"""The page of a job's files: what there is for Label Studio, or in words why there is nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.jobs import service
from marketplace.money import Money
from tests.make import jobs
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_the_page_of_files_says_what_there_is_for_label_studio(
    session: Session, lab: Actor, owner: Browser
) -> None:
    pairs = jobs.draft(session, lab)
    runs = service.create_job(
        session,
        lab,
        task_type="trajectory",
        title="Where does the run go wrong?",
        domain="software",
        instructions_md="Judge every step.",
        profession="software",
        pay=Money(4_50, "USD"),
        template=EXAMPLES["trajectory"].template,
    )

    page = checked(owner.get(f"/lab/jobs/{pairs.id}/exports"))
    assert "Set the project up with it first" in text_of(page)
    xml = owner.get(f"/lab/jobs/{pairs.id}/label-studio.xml")
    assert xml.text.startswith("<View>")
    page = checked(owner.get(f"/lab/jobs/{runs.id}/exports"))
    assert "Not for Label Studio." in text_of(page)
    assert "Session traces and TRL hold them." in text_of(page)
    none = owner.get(f"/lab/jobs/{runs.id}/label-studio.xml")
    assert (404, True) == (none.status_code, "Session traces" in none.text)
