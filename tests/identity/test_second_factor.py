"""The second factor: no code twice, recovery codes once, and step-up."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict
from marketplace.identity import queries, service
from tests.make import identity as make


def with_totp(session: Session) -> tuple[Actor, pyotp.TOTP, list[str]]:
    """Someone whose second factor is on, their app, and their recovery codes."""
    owner = make.lab_owner(session)
    secret, _ = service.start_totp(session, owner)
    app = pyotp.TOTP(secret)
    codes = service.confirm_totp(session, owner, code_of(app))
    session.flush()
    return owner, app, codes


def code_of(app: pyotp.TOTP, *, steps: int = 0) -> str:
    """The code that the app shows so many steps from now."""
    return app.at(clock.now(), counter_offset=steps)


def test_a_code_is_never_accepted_twice(session: Session) -> None:
    owner, app, _ = with_totp(session)

    with pytest.raises(service.WrongCode):
        service.check_totp(session, owner.person(), code_of(app))
    with clock.shifted(timedelta(seconds=30)):
        service.check_totp(session, owner.person(), code_of(app))
        with pytest.raises(service.WrongCode):
            service.check_totp(session, owner.person(), code_of(app))


def test_a_code_older_than_the_last_one_is_refused(session: Session) -> None:
    owner, app, _ = with_totp(session)

    with clock.shifted(timedelta(seconds=60)):
        service.check_totp(session, owner.person(), code_of(app))
        with pytest.raises(service.WrongCode):
            service.check_totp(session, owner.person(), code_of(app, steps=-1))


@pytest.mark.parametrize(
    "code", ["", "000", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "1234567"]
)
def test_what_is_no_code_is_refused(session: Session, code: str) -> None:
    owner, _, _ = with_totp(session)

    with pytest.raises(service.WrongCode):
        service.check_totp(session, owner.person(), code)


def test_step_up_needs_a_second_factor(session: Session) -> None:
    with pytest.raises(service.TotpNeeded):
        service.check_totp(session, make.lab_owner(session).person(), "123456")


def test_a_secret_that_waits_for_its_first_code_guards_nothing_yet(session: Session) -> None:
    owner = make.lab_owner(session)
    service.start_totp(session, owner)
    person = queries.person_of(session, owner)

    row, _ = service.sign_in(session, email=person.email, password=make.PASSWORD)

    assert row.completed_at is not None


def test_with_a_second_factor_the_password_is_only_half(session: Session) -> None:
    owner, app, _ = with_totp(session)
    person = queries.person_of(session, owner)
    _, token = service.sign_in(session, email=person.email, password=make.PASSWORD)

    assert service.visitor_of_sign_in(session, token) is None
    row = service.half_signed_in(session, token)
    with clock.shifted(timedelta(seconds=30)):
        service.check_second_factor(session, person.id, code_of(app))
        new = service.complete_sign_in(session, row)
        session.flush()
        assert service.visitor_of_sign_in(session, new) is not None
    assert service.visitor_of_sign_in(session, token) is None


def test_each_recovery_code_works_once(session: Session) -> None:
    owner, _, codes = with_totp(session)

    service.check_second_factor(session, owner.person(), codes[0].lower())
    session.flush()

    with pytest.raises(service.WrongCode):
        service.check_second_factor(session, owner.person(), codes[0])
    service.check_second_factor(session, owner.person(), codes[1].replace("-", " "))


def test_recovery_codes_of_one_person_open_nothing_for_another(session: Session) -> None:
    _, _, codes = with_totp(session)
    other, _, _ = with_totp(session)

    with pytest.raises(service.WrongCode):
        service.check_second_factor(session, other.person(), codes[0])


def test_recovery_codes_do_not_step_up(session: Session) -> None:
    owner, _, codes = with_totp(session)

    with pytest.raises(service.WrongCode):
        service.check_totp(session, owner.person(), codes[0])


def test_turning_it_off_takes_a_code_and_forgets_all(session: Session) -> None:
    owner, _, codes = with_totp(session)

    with pytest.raises(service.WrongCode):
        service.stop_totp(session, owner, "000000")
    service.stop_totp(session, owner, codes[0])
    session.flush()

    assert queries.person_of(session, owner).totp_secret is None


def test_a_secret_is_not_replaced_while_it_is_on(session: Session) -> None:
    owner, _, _ = with_totp(session)

    with pytest.raises(Conflict):
        service.start_totp(session, owner)


def test_the_database_sees_the_secret_only_encrypted(session: Session) -> None:
    owner, app, _ = with_totp(session)
    asked = text("SELECT totp_secret FROM person WHERE id = :id")

    stored = session.scalar(asked, {"id": owner.person_id})

    assert app.secret.encode() not in bytes(stored or b"")
