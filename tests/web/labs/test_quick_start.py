"""Quick start: snippets filled with the lab's own ids, tabs without script, nothing of others."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Role
from tests.make import identity
from tests.make import work as make
from tests.web.conftest import Browser

PIECE = re.compile(r'<div id="code-(\w+)"><pre[^>]*><code>(.*?)</code></pre>', re.DOTALL)


def pieces_of(page: str) -> dict[str, str]:
    """The code on a page by the key of its step, as somebody would copy it."""
    return {key: html.unescape(re.sub(r"<[^>]+>", "", code)) for key, code in PIECE.findall(page)}


def test_a_lab_without_jobs_gets_the_first_steps(owner: Browser) -> None:
    page = owner.get("/lab/quick-start").text

    assert ["start", "who", "post", "events"] == list(pieces_of(page))
    assert "You have no job yet" in page
    assert "export MARKETPLACE_URL=http://localhost:8000" in pieces_of(page)["start"]
    assert 'href="/lab/quick-start" aria-current="page" data-go="a"' in page


def test_each_way_is_filled_with_the_newest_job_of_this_lab_alone(
    owner: Browser, browse: Callable[[], Browser], session: Session, lab: Actor
) -> None:
    _, job = make.published(session, lab)
    other = browse().sign_in(session, identity.lab_owner(session, name="Elsewhere"))

    for way in ("curl", "python", "command"):
        found = pieces_of(owner.get(f"/lab/quick-start?with={way}").text)
        assert ["start", "who", "post", "status", "submissions", "export", "events"] == list(found)
        assert all(str(job.id) in found[key] for key in ("status", "submissions", "export"))
        assert str(job.id) not in other.get(f"/lab/quick-start?with={way}").text
    assert 404 == other.get(f"/lab/jobs/{job.id}/code").status_code


def test_a_jobs_own_page_has_what_fits_its_state(
    owner: Browser, session: Session, lab: Actor
) -> None:
    _, job = make.published(session, lab)

    page = owner.get(f"/lab/jobs/{job.id}/code?with=python").text

    assert ["start", "status", "submissions", "export", "items"] == list(pieces_of(page))
    assert 'aria-current="page">Python</a>' in page
    assert 'aria-current="page">From code</a>' in page


def test_who_only_looks_sees_it_without_the_way_to_more(
    browse: Callable[[], Browser], session: Session, lab: Actor
) -> None:
    viewer = identity.member(session, lab, Role.VIEWER)

    page = browse().sign_in(session, viewer).get("/lab/quick-start")

    assert 200 == page.status_code
    assert "Webhooks" not in page.text
