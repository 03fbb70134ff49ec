"""API tokens, idempotency keys, and the rotation of encryption keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Denied, Faulty, Missing, SignInNeeded
from marketplace.identity import queries, service
from marketplace.identity.models import ApiToken
from marketplace.identity.rules import Role
from marketplace.identity.service import once
from tests.make import identity as make


def test_a_token_is_its_person_within_its_scopes(session: Session) -> None:
    owner = make.lab_owner(session)

    actor, row = service.actor_of_token(session, make.token(session, owner, scopes=["jobs.view"]))

    assert (owner.person_id, owner.organisation_id) == (actor.person_id, actor.organisation_id)
    assert {"jobs.view"} == actor.permissions
    assert row.last_used_at is not None


def test_a_token_is_shown_once_and_known_by_its_first_letters(session: Session) -> None:
    owner = make.lab_owner(session)

    row, plain = service.create_token(session, owner, name="Nightly")

    assert plain.startswith(row.starts_with)
    assert plain.encode() not in row.token_hash
    assert len(plain) - len(row.starts_with) > 30


def test_a_token_cannot_have_more_than_its_person(session: Session) -> None:
    viewer = make.member(session, make.lab_owner(session), Role.VIEWER)

    with pytest.raises(Faulty):
        service.create_token(session, viewer, name="More", scopes=["jobs.publish"])


@pytest.mark.parametrize("days", [0, 367, -1])
def test_a_token_needs_a_near_end(session: Session, days: int) -> None:
    with pytest.raises(Faulty):
        service.create_token(session, make.lab_owner(session), name="Long", days=days)


def test_expired_and_revoked_tokens_open_nothing(session: Session) -> None:
    owner = make.lab_owner(session)
    expiring, revoked = make.token(session, owner), make.token(session, owner)
    service.revoke_token(session, owner, queries.tokens_of(session, owner)[0].id)
    session.flush()

    with pytest.raises(SignInNeeded):
        service.actor_of_token(session, revoked)
    with clock.shifted(timedelta(days=91)), pytest.raises(SignInNeeded):
        service.actor_of_token(session, expiring)


def test_nobody_revokes_the_token_of_another_person(session: Session) -> None:
    owner = make.lab_owner(session)
    colleague = make.member(session, owner, Role.OWNER)
    make.token(session, colleague)

    with pytest.raises(Missing):
        service.revoke_token(session, owner, queries.tokens_of(session, colleague)[0].id)


def test_a_token_that_cannot_manage_tokens_makes_none(session: Session) -> None:
    owner = make.lab_owner(session)
    actor, _ = service.actor_of_token(session, make.token(session, owner, scopes=["jobs.view"]))

    with pytest.raises(Denied):
        service.create_token(session, actor, name="Child")


def test_a_token_dies_with_the_membership(session: Session) -> None:
    owner = make.lab_owner(session)
    member = make.member(session, owner, Role.MANAGER)
    token = make.token(session, member)
    service.change_roles(session, owner, member.person(), [])
    session.flush()

    with pytest.raises(SignInNeeded):
        service.actor_of_token(session, token)


def call(session: Session, key: str = "key-1") -> once.Call:
    """A call with a key, by a new token."""
    owner = make.lab_owner(session)
    make.token(session, owner)
    return once.Call(queries.tokens_of(session, owner)[0].id, "POST", "/api/v1/jobs", key)


def test_the_first_answer_is_replayed_for_a_day(session: Session) -> None:
    asked = call(session)
    assert once.begin(session, asked) is None
    once.remember(session, asked, request_sha256=b"x", status=201, body="{}")
    session.flush()

    record = once.begin(session, asked)

    assert record is not None
    assert ("{}", 201) == once.replay(record, b"x")
    with pytest.raises(once.KeyReused):
        once.replay(record, b"y")
    with clock.shifted(timedelta(hours=25)):
        assert once.begin(session, asked) is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb"])
def test_keys_that_cannot_be_used_are_refused(session: Session, key: str) -> None:
    with pytest.raises(Faulty):
        call(session, key)


def test_a_second_call_in_flight_is_a_conflict(committed: Engine) -> None:
    with transaction() as session:
        asked = call(session)
    with transaction() as session:
        assert once.begin(session, asked) is None
        with Session(committed) as other, pytest.raises(once.StillRunning):
            once.begin(other, asked)


def test_tokens_know_nothing_plain(session: Session) -> None:
    owner = make.lab_owner(session)
    plain = make.token(session, owner)
    row = session.get_one(ApiToken, queries.tokens_of(session, owner)[0].id)

    assert plain not in {str(getattr(row, column.key)) for column in ApiToken.__table__.columns}
