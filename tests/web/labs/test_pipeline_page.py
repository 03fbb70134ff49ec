"""The pages and the API of a hybrid pipeline: agreed in a draft, priced, followed while it runs."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.money import Money
from marketplace.routing import service as routing
from tests.make import background, identity, specialists, work
from tests.make import jobs as make
from tests.quality.test_pipelines import rows
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

POLICY: dict[str, object] = {
    "target_percent": "90",
    "audit_percent": "10",
    "items_max": "40",
    "rounds_max": "3",
    "kept_percent": "20",
    "slice_field": "subject",
}


def test_a_lab_lets_models_judge_first(session: Session, lab: Actor, owner: Browser) -> None:
    work.money_in(session, lab, Money(10_000_00, "USD"))
    job = make.filled(session, lab, items=rows(60))
    path = f"/lab/jobs/{job.id}/pipeline"

    draft = checked(owner.get(path))
    assert "judge-one@1" in draft
    assert "60 of 60" in text_of(draft)
    wrong = owner.post(path, POLICY | {"target_percent": "120", "slice_field": "a,b"})
    assert "Ask for 50 to 99.9 per cent" in text_of(checked(wrong, 422))
    assert "$324.00" in text_of(checked(owner.get(f"/lab/jobs/{job.id}/publish")))
    assert 303 == owner.post(path, POLICY).status_code
    session.expire_all()
    assert "$216.00" in text_of(checked(owner.get(f"/lab/jobs/{job.id}/publish")))
    assert "$216.00" in text_of(checked(owner.get(path)))

    assert 303 == owner.post(f"/lab/jobs/{job.id}/publish").status_code
    assert "is being read and weighed" in text_of(checked(owner.get(path)))
    background.run_all()
    session.expire_all()
    doctor = specialists.doctor(session)
    while claim := routing.claim_next(session, doctor, job_id=JobId(job.id)):
        session.flush()
        work.submit(session, doctor, claim, work.answer("a"))
    background.run_all()
    session.expire_all()
    running = text_of(checked(owner.get(path)))
    assert "Who judges the items" in running
    assert "part 2" in running
    assert "Round 1" in running
    assert "unsure ones leave 20.0 % to the audit" in running.replace("\u202f", " ").replace(
        "\xa0", " "
    )
    assert re.search(r"not known yet about \d+ more audited items", running)
    assert "Pipeline" in text_of(checked(owner.get(f"/lab/jobs/{job.id}")))
    assert "Price of what specialists judge" in running


def test_a_draft_without_models_says_so_and_may_go_back(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = make.filled(session, lab)
    path = f"/lab/jobs/{job.id}/pipeline"

    assert "No model has judged these items yet" in text_of(checked(owner.get(path)))
    empty = make.draft(session, lab)
    told = text_of(checked(owner.get(f"/lab/jobs/{empty.id}/pipeline")))
    assert "Add items first." in told
    assert "at most" not in told
    owner.post(path, POLICY)
    assert 303 == owner.post(f"{path}/drop").status_code
    session.expire_all()
    assert "Specialists judge every item." in text_of(checked(owner.get(path)))


def test_the_api_agrees_on_a_pipeline_and_tells_it(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = make.filled(session, lab, items=rows(30))
    token = {"Authorization": f"Bearer {identity.token(session, lab)}"}
    path = f"/api/v1/jobs/{job.id}/pipeline"
    client = owner.client
    asked = {"confidence_target": 0.9, "audit_ratio": 0.1, "items_max": 12}
    session.flush()

    assert 404 == client.get(path, headers=token).status_code
    faulty = client.put(path, headers=token, json=asked | {"audit_ratio": 0})
    assert ["/audit_ratio"] == [one["pointer"] for one in (faulty.json or {})["errors"]]
    greedy = client.put(path, headers=token, json=asked | {"kept_share": 1})
    assert ["/kept_share"] == [one["pointer"] for one in (greedy.json or {})["errors"]]
    told = client.put(path, headers=token, json=asked).json or {}
    assert 0.3 == told["kept_share"]
    assert ("draft", 12, None) == (told["state"], told["items_max"], told["report"])
    work.money_in(session, lab, Money(10_000_00, "USD"))
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    session.flush()
    background.run_all()
    session.expire_all()

    told = client.get(path, headers=token).json or {}
    assert ("judging", 30, 1) == (told["state"], told["items_routed"], len(told["rounds"]))
    assert 12 >= told["report"]["routes"]["unsure"] + told["report"]["routes"]["audit"] > 0
    page = client.get(f"{path}/items?limit=20", headers=token).json or {}
    more = client.get(f"{path}/items?limit=20&after={page['next']}", headers=token).json or {}
    assert (20, 10, None) == (len(page["items"]), len(more["items"]), more["next"])
    assert {"model", "unsure", "audit"} >= {one["route"] for one in page["items"]}
    assert 409 == client.put(path, headers=token, json=asked).status_code
    assert 409 == client.delete(path, headers=token).status_code
