"""Stopping for one's own sake on pages: warned before the claim, stopped without a word."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from tests.make import work as make
from tests.web.conftest import Browser
from tests.work.test_opting_out import red_team_job


def test_one_is_warned_before_and_stops_without_a_word(
    desk: Browser, browse: Callable[[], Browser], session: Session, doctor: Actor
) -> None:
    lab, job = red_team_job(session)

    before = desk.get(f"/work/jobs/{job.id}").text
    claim = make.claimed(session, doctor, job)
    path = f"/work/tasks/{claim.id}"
    leaving = desk.get(f"{path}/leave").text
    told = desk.post(f"{path}/outcome", {"fence": claim.fence, "kind": "opted_out"})

    assert "Some of this speaks of overdoses." in before
    assert "<strong>somebody</strong>" in before
    assert "Stop for your own sake" in leaving
    assert (303, "/work") == (told.status_code, told.location)
    assert "You stopped, and that is all right." in desk.get("/work").text
    # The lab reads that it happened, not to whom.
    reports = browse().sign_in(session, lab).get(f"/lab/jobs/{job.id}/reports").text
    assert "Stopped for their own sake" in reports
    assert "pseudonym" not in reports
