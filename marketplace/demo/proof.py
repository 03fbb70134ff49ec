"""What is asked of outside sources, today: published lists, a document, an account."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from importlib.resources import files
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

from marketplace import settings
from marketplace.db import transaction
from marketplace.demo import materials
from marketplace.demo.cast import BY_EMAIL, SPECIALISTS, Specialist
from marketplace.demo.credentials import OPERATIONS
from marketplace.demo.money import fill_in
from marketplace.demo.people import actor_of
from marketplace.demo.quiet import wait_for
from marketplace.demo.timeline import Timeline
from marketplace.specialists import background, queries
from marketplace.specialists.models import IdentityCheck
from marketplace.specialists.rules.identity import IdentityState
from marketplace.specialists.rules.list_files import FILES
from marketplace.specialists.service.lists import ListFile, begin_snapshot

CODER = "coder@demo.test"
DOCUMENT_DAYS = 5 * 365


def load_lists() -> None:
    """Operations load an edition of each published list; the same files again change nothing."""
    folder = files(materials.__name__).joinpath("lists")
    for source, names in FILES.items():
        contents = [folder.joinpath(name).read_bytes() for name in names]
        edition = [
            ListFile(name, hashlib.sha256(content).hexdigest())
            for name, content in zip(names, contents, strict=True)
        ]
        with transaction() as session:
            staff = actor_of(session, OPERATIONS)
            snapshot, is_new = begin_snapshot(session, staff, source, edition)
        if is_new:
            background.load_files(snapshot, [BytesIO(content) for content in contents])


def show_documents(timeline: Timeline) -> None:
    """Whoever wrote a date of birth shows a document that bears it."""
    until = (timeline.anchor + timedelta(days=DOCUMENT_DAYS)).date().isoformat()
    for one in SPECIALISTS:
        if one.born_on:
            _show_document(one, until)


def _show_document(one: Specialist, until: str) -> None:
    if _is_shown(one):
        return
    with transaction() as session:
        actor = actor_of(session, one.email)
    page = background.identity_url(actor, return_url=_back("/work/connections"))
    if page is not None:
        first, _, last = one.legal_name.rpartition(" ")
        fill_in(
            page,
            first_name=first,
            last_name=last,
            born_on=one.born_on,
            until=until,
            country="US",
            outcome="verified",
        )
    wait_for(lambda: _is_shown(one))


def _is_shown(one: Specialist) -> bool:
    """Read how the document did; the news of it may have come first."""
    with transaction() as session:
        actor = actor_of(session, one.email)
        check: IdentityCheck | None = queries.identity_of(session, actor, actor.person())
    if check is None:
        return False
    return background.read_identity(check).state is IdentityState.VERIFIED


def connect_account() -> None:
    """The coder lets GitHub name them, where this installation asks it."""
    with transaction() as session:
        actor = actor_of(session, CODER)
        known = queries.github_of(session, actor, actor.person())
    state, back = secrets.token_urlsafe(32), _back("/work/connections/github/returned")
    page = background.github_url(state, redirect_uri=back)
    if known is not None or page is None:
        return
    account = next(each for each in BY_EMAIL[CODER].licences if each.type == "github")
    led_to = fill_in(page, login=account.identifier, action="allow")
    (code,) = parse_qs(urlsplit(led_to).query)["code"]
    background.connect_github(actor, code=code, state=state, redirect_uri=back)


def _back(path: str) -> str:
    return settings.current().public_url.rstrip("/") + path
