"""The pages and the API of judges: set up, panel, asked, reported on, printed, checked."""

from __future__ import annotations

import csv
import io
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.jobs.models import Job
from marketplace.quality.models import Judge, JudgeReport, JudgeRun
from tests.make import background, endpoints, identity, judges
from tests.make.endpoints import models
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_a_lab_calibrates_a_judge(session: Session, lab: Actor, owner: Browser) -> None:
    with models():
        endpoints.endpoint(session, lab, "our-model", model="judge-q90-b1-p30")
        _, job = judges.panel(session, lab=lab, items=6)
        for _ in range(2):
            judges.verdict(session, job, flaw=lambda number: int(number % 3 == 0))
        form: dict[str, object] = {
            "name": "empathy", "endpoint": "our-model", "dimensions_of": str(job.id),
            "prompt": "Judge this.\n{dimensions}\n{conversation}\n{responses}",
            "temperature": "0", "tokens_max": "500", "both_orders": "true",
        }  # fmt: skip
        assert "No judges yet" in text_of(checked(owner.get("/lab/judges")))
        checked(owner.get("/lab/judges/new"))
        wrong = owner.post("/lab/judges/new", {**form, "prompt": "Judge."})
        assert "Say where the item goes" in text_of(checked(wrong, 422))
        assert 303 == owner.post("/lab/judges/new", form).status_code
        session.expire_all()
        judge = session.scalars(select(Judge)).one()
        page = f"/lab/judges/{judge.id}"
        assert "Version 1" in text_of(checked(owner.get(page)))
        checked(owner.get(f"{page}/change"))
        assert "133" in text_of(checked(owner.get(f"{page}/panel")))

        panel = owner.post(f"{page}/panel", {"job": str(job.id), "experts": "2"})
        assert 303 == panel.status_code
        checked(owner.get(panel.location))
        found = _asked_and_reported(session, owner, job)

    report = f"/lab/judge-reports/{found.id}"
    told = text_of(checked(owner.get(report)))
    assert "Where it may stand alone" in told
    assert found.facts["judge"]["prompt_sha256"] in told
    assert "12 blind verdicts" in told
    rows = list(csv.DictReader(io.StringIO(owner.get(f"{report}/csv").text)))
    assert {("empathy", ""), ("better", "")} == {(e["dimension"], e["slice"]) for e in rows}
    assert found.findings_sha256.hex() == (owner.get(f"{report}/json").json or {})["sha256"]
    assert "Report 1" in text_of(checked(owner.get(f"/lab/jobs/{job.id}/judges")))
    assert 303 == owner.post(f"{report}/check").status_code
    assert 303 == owner.post(f"{page}/retire").status_code


def _asked_and_reported(session: Session, owner: Browser, job: Job) -> JudgeReport:
    """The judge is asked about a job by the page, and a report is made by it."""
    here = f"/lab/jobs/{job.id}/judges"
    offered = checked(owner.get(here))
    version = offered.split('<option value="')[2].split('"')[0]
    asked: dict[str, object] = {"judge": version, "calls_max": "100", "calls_a_minute_max": "6000"}
    assert 422 == owner.post(f"{here}/ask", {**asked, "calls_max": "0"}).status_code
    started = owner.post(f"{here}/ask", asked)
    assert "Items settled" in text_of(checked(owner.get(started.location)))
    background.run_all()
    session.expire_all()
    run = session.scalars(select(JudgeRun)).one()
    assert ("done", 6) == (run.state.value, run.answered)
    assert "Make a report" in text_of(checked(owner.get(started.location)))
    made = owner.post(f"{here}/report", {"model": "judge-q90-b1-p30", "version": "empathy-v1"})
    assert 303 == made.status_code
    session.expire_all()
    return session.scalars(select(JudgeReport)).one()


def test_recorded_verdicts_are_reported_on_over_the_api(
    session: Session, lab: Actor, owner: Browser
) -> None:
    with models():
        _, job = judges.panel(session, lab=lab, items=4)
        version = judges.judge(session, lab)
    token = {"Authorization": f"Bearer {identity.token(session, lab)}"}
    client = owner.client
    session.flush()

    def sent(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        answer = client.post(f"/api/v1/{path}", headers=token, json=body)
        return answer.status_code, answer.json

    listed = client.get("/api/v1/judges", headers=token).json or {}
    assert [str(version.id)] == [each["version_id"] for each in listed["items"]]
    changed = client.patch(
        f"/api/v1/judges/{version.judge_id}", headers=token, json={"temperature": 0.5}
    )
    assert 2 == (changed.json or {})["number"]
    status, run = sent(
        f"jobs/{job.id}/judge-runs", {"version_id": str(version.id), "calls_max": 50}
    )
    assert (201, "waiting", 4) == (status, run["state"], run["items"])
    path = f"jobs/{job.id}/judge-report"
    assert 404 == client.get(f"/api/v1/{path}", headers=token).status_code
    assert 409 == sent(path, {"model": "none"})[0]
