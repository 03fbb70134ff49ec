"""Pages of quality: a job's figures, where its people differ, one's own skill and what was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId, SubmissionId
from marketplace.quality.rules.evidence import Drift
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from marketplace.web.labs import quality_words
from marketplace.web.specialists.skill import drift_words
from marketplace.work.models import Submission
from tests.make import background, identity, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

CHOICES = ("aa", "ab", "bb", "ba", "aa")
CLEARANCE_DAYS = 7


@dataclass(frozen=True)
class World:
    """A job whose two doctors differ on two of five items, and the first one's last answer."""

    lab: Actor
    job_id: JobId
    doctor: Actor
    last: SubmissionId


@pytest.fixture
def world(session: Session) -> World:
    lines = [
        make_jobs.line(
            f"item-{n}",
            make_jobs.pair(
                n, metadata={"ward": "AB"[n % 2], "model_a": "north", "model_b": "south"}
            ),
        )
        for n in range(len(CHOICES))
    ]
    lab, job = make.published(
        session, items=lines, overlap_min=2, overlap_max=2, review_sample_ratio=1
    )
    doctors = [specialists.doctor(session), specialists.doctor(session)]
    given: list[Submission] = []
    for at, doctor in enumerate(doctors):
        for choices in CHOICES:
            envelope = make.answer(choices[at], rationale=f"Reason of doctor {at}.")
            given.append(make.submitted(session, doctor, job, envelope))
    background.run("quality.fit_job", job_id=str(job.id))
    return World(lab, JobId(job.id), doctors[0], SubmissionId(given[len(CHOICES) - 1].id))


def test_a_lab_sees_what_is_known_and_where_people_differ(
    session: Session, browse: Callable[[], Browser], world: World
) -> None:
    owner = browse().sign_in(session, world.lab)
    path = f"/lab/jobs/{world.job_id}"

    known = text_of(checked(owner.get(f"{path}/quality")))
    assert "cannot be told yet: 5 items have two answers" in known
    assert "Where buying stopped" in known
    assert "From 10 comparisons of the systems that your items name" in known
    assert known.index("north") < known.index("south")
    page = checked(owner.get(f"{path}/disagreements?unit=choice"))
    assert text_of(page).index("item-1") < text_of(page).index("item-0")
    assert "Reason of doctor 0." in page
    assert str(world.doctor.person()) not in page
    part = text_of(checked(owner.get(f"{path}/disagreements?part=ward%3DB&first=a&second=b")))
    assert (True, False) == ("item-1" in part, "item-0" in part)
    nothing = text_of(checked(owner.get(f"{path}/disagreements?part=ward%3DC")))
    assert "Nothing contested is in this part" in nothing
    stranger = browse().sign_in(session, identity.lab_owner(session))
    assert 404 == stranger.get(f"{path}/disagreements").status_code


def test_the_api_tells_the_same(
    session: Session, browse: Callable[[], Browser], world: World
) -> None:
    token = {"Authorization": f"Bearer {identity.token(session, world.lab)}"}
    session.flush()
    client = browse().client

    def read(path: str) -> dict[str, object]:
        told = client.get(f"/api/v1/jobs/{world.job_id}/{path}", headers=token)
        assert 200 == told.status_code, told.text
        return dict(told.get_json())

    first = read("disagreements?unit=choice&limit=1")
    rest = read(f"disagreements?unit=choice&after={first['next']}")
    assert 5 == len({row["external_id"] for each in (first, rest) for row in each["items"]})  # type: ignore[attr-defined]
    shape = read("confidence")
    assert shape["labels"] == sum(each["labels"] for each in shape["bins"])  # type: ignore[attr-defined]


def test_a_specialist_reads_their_skill_and_every_remark(
    session: Session, browse: Callable[[], Browser], world: World
) -> None:
    desk = browse().sign_in(session, world.doctor)
    assert "Nobody has said anything" in text_of(checked(desk.get("/work/remarks")))
    review.decide(
        session,
        world.lab,
        world.last,
        verdict=Verdict.REJECT,
        clearance_days=CLEARANCE_DAYS,
        note="The dose is wrong by ten.",
        defects=[{"what": "Dose", "severity": "critical", "where": "reason"}],
    )

    said = checked(desk.get(f"/work/remarks?severity=critical&verdict=reject&job={world.job_id}"))
    assert "The dose is wrong by ten." in said
    assert f"/work/submissions/{world.last}/appeal" in said
    minor = text_of(checked(desk.get("/work/remarks?severity=minor")))
    assert "Nothing of that kind" in minor
    skill = checked(desk.get("/work/skill"))
    assert "Found right" in text_of(skill)
    assert f"/work/submissions/{world.last}" in skill
    assert "Your skill, and what taught it" in text_of(checked(desk.get("/work")))


def test_drift_is_told_kindly_and_only_where_it_is_one() -> None:
    up, level, down = (
        drift_words(Drift(at, at - reach, at + reach, 20))
        for at, reach in ((0.2, 0.1), (0.1, 0.2), (-0.2, 0.1))
    )
    assert "better than the rest, by about 20 points" in up
    assert "nothing to see here but chance" in level
    assert "can be appealed" in down
    assert "" == drift_words(None)


def test_names_of_questions_are_words() -> None:
    assert "Clinical safety" == quality_words.unit_words("aspects.clinical_safety")
    assert "All aspects" == quality_words.unit_words("aspects.*")
    assert "b 60\u202f%, a 20\u202f%, c 15\u202f%, 1 other" == quality_words.frequent(
        {"a": 0.2, "b": 0.6, "c": 0.15, "d": 0.05}
    )


def test_the_quality_of_a_draft_says_what_comes_first(
    session: Session, browse: Callable[[], Browser]
) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.draft(session, lab)
    page = checked(browse().sign_in(session, lab).get(f"/lab/jobs/{job.id}/quality"))

    assert "which come once the job is published." in text_of(page)
    assert "Nothing is worked out yet" not in text_of(page)
    assert 'aria-current="page">Quality</a>' in page
