"""The people of one replay: a lab, three specialists, operations, and two in finance.

They are new each time, so that every sum of a replay is its own. What the public API offers is
done over it; accounts and claims have no call there, so the services behind the pages make them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID

import pyotp
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.demo import money, people
from marketplace.demo.replay.client import Client
from marketplace.identity import service as identity
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from marketplace.secrets import new_token
from marketplace.specialists import service as specialists
from marketplace.specialists.queries import catalogue

LEVEL = 3
NOTE = "Opened the account's own page; its owner answered from it."
STAFF = (Role.OPERATIONS, Role.PREPARER, Role.APPROVER)


@dataclass(frozen=True, slots=True)
class Judging:
    """A specialist: who they are, and the API under their token."""

    person_id: UUID
    name: str
    email: str
    api: Client


@dataclass(frozen=True, slots=True)
class Crew:
    """Everybody, each with the API under their own token."""

    lab: Client
    judging: tuple[Judging, ...]
    operations: Client
    preparer: Client
    approver: Client
    approver_email: str

    def approver_code(self) -> str:
        """What the approver's authenticator shows."""
        with transaction() as session:
            return people.present_code(session, self.approver_email)


@contextmanager
def gathered(address: str, count: int) -> Iterator[Crew]:
    """Sign everybody up, have the specialists verified, and let them say where to be paid."""
    mark = new_id().hex[-8:]
    with ExitStack() as held:

        def api_of(email: str) -> Client:
            with transaction() as session:
                actor = people.actor_of(session, email)
                _, token = identity.create_token(session, actor, name="Replay", days=2)
            return held.enter_context(Client(address, token))

        lab = _address("lab", mark)
        with transaction() as session:
            _sign_up(session, lab, "Replaying Lab", lab_name=f"Replaying Lab {mark}")
        staff = {role: _officer(role, mark) for role in STAFF}
        judging = tuple(_specialist(number, mark, api_of) for number in range(1, count + 1))
        crew = Crew(
            lab=api_of(lab),
            judging=judging,
            operations=api_of(staff[Role.OPERATIONS]),
            preparer=api_of(staff[Role.PREPARER]),
            approver=api_of(staff[Role.APPROVER]),
            approver_email=staff[Role.APPROVER],
        )
        _verify(crew)
        for one in judging:
            money.onboard(one.email, one.name, outcome="verified")
        yield crew


def _address(who: str, mark: str) -> str:
    return f"{who}.{mark}@replay.test"


def _sign_up(
    session: Session, email: str, name: str, *, is_specialist: bool = False, lab_name: str = ""
) -> UUID:
    """Nobody signs in with the password: it is made here and forgotten."""
    return identity.register_verified(
        session,
        email=email,
        name=name,
        password=new_token("replay"),
        is_specialist=is_specialist,
        lab_name=lab_name,
    ).id


def _officer(role: Role, mark: str) -> str:
    email = _address(role.value, mark)
    with transaction() as session:
        _sign_up(session, email, f"Replay {role.value}")
        identity.found_platform(session, people.person_of(session, email), frozenset({role}))
    if role is Role.APPROVER:
        with transaction() as session:
            actor = people.actor_of(session, email)
            secret, _ = identity.start_totp(session, actor)
            identity.confirm_totp(session, actor, pyotp.TOTP(secret).at(clock.now()))
    return email


def _specialist(number: int, mark: str, api_of: Callable[[str], Client]) -> Judging:
    """Somebody with a claim that waits for operations."""
    email, name = _address(f"annotator{number}", mark), f"Recorded Annotator {number}"
    with transaction() as session:
        person_id = _sign_up(session, email, name, is_specialist=True)
        session.flush()  # The profile refers to the person.
        actor = people.actor_of(session, email)
        specialists.save_profile(session, actor, professions=["software"], languages=["en"])
        specialists.claim_credential(
            session, actor, type="github", identifier=f"annotator{number}-{mark}"
        )
    return Judging(person_id, name, email, api_of(email))


def _verify(crew: Crew) -> None:
    """Operations decides on the claims of these specialists, over the API."""
    waiting = {str(one.person_id) for one in crew.judging}
    with transaction() as session:
        checklist = catalogue(session).types["github"].checklist
    ticks = {key: True for key, (least, _) in checklist.items() if least <= LEVEL}
    decision = {"outcome": "verify", "level": LEVEL, "note": NOTE, "checklist": ticks}
    # Their holders never connect the accounts, so the queue of what staff must look at lacks them.
    for claim in list(crew.operations.all("/operations/credentials", waits="holder")):
        if claim["person_id"] in waiting:
            crew.operations.post(f"/operations/credentials/{claim['id']}/decision", decision)
