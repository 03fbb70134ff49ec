"""Who must not take a task because of who else is at it, or because they wrote it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Uuid, and_, literal, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.ids import PersonId
from marketplace.jobs.models import ItemAuthor, Job
from marketplace.routing.queries.predicate import each_of, organisation_key
from marketplace.secrets import pseudonym
from marketplace.specialists.models import PersonLink, SpecialistProfile
from marketplace.specialists.rules.links import LinkKind
from marketplace.work.models import Claim, Seat, Task
from marketplace.work.rules import HOLDING

LINKS = {"household": LinkKind.HOUSEHOLD, "device": LinkKind.DEVICE}


def task_conflict(job: Job, person_id: PersonId) -> ColumnElement[bool] | None:
    """True, in a statement about `seat`, for a seat whose task this person must not take.

    None where the job asks for nothing of the kind and no item names its authors: the statement
    of a claim then stays as it is. The cost is that of the few who hold seats of the one task.
    Two linked people who claim two seats of one task at the same moment do not see each other
    here; `still_apart` keeps them apart, asked after the claim.
    """
    against = []
    if job.items_authored:
        against.append(_wrote_it(pseudonym(str(job.organisation_id), str(person_id))))
    if job.distinct_by:
        against.append(_linked_to_another(job.distinct_by, literal(person_id, Uuid())))
    return or_(*against) if against else None


def _wrote_it(author: str) -> ColumnElement[bool]:
    wrote = (
        select(literal(1))
        .select_from(Task)
        .join(ItemAuthor, ItemAuthor.item_id == Task.item_id)
        .where(Task.id == Seat.task_id, ItemAuthor.author == author)
        .correlate(Seat)
    )
    return wrote.exists()


def _linked_to_another(kinds: list[str], person: ColumnElement[Any]) -> ColumnElement[bool]:
    other = aliased(Claim, name="held_by_another")
    linked = [_share_a_mark(LINKS[kind], person, other) for kind in kinds if kind in LINKS]
    if "organisation" in kinds:
        linked.append(_share_an_employer(person, other))
    held = select(other.id).where(
        other.task_id == Seat.task_id,
        other.specialist_id != person,
        other.state.in_(HOLDING),
        or_(*linked),
    )
    return held.correlate(Seat).exists()


def _share_a_mark(
    kind: LinkKind, person: ColumnElement[Any], other: type[Claim]
) -> ColumnElement[bool]:
    mine, theirs = aliased(PersonLink), aliased(PersonLink)
    shared = (
        select(literal(1))
        .select_from(mine)
        .join(theirs, and_(theirs.kind == mine.kind, theirs.link_hash == mine.link_hash))
        .where(mine.person_id == person, mine.kind == kind)
        .where(theirs.person_id == other.specialist_id)
    )
    return shared.correlate(other).exists()


def _share_an_employer(person: ColumnElement[Any], other: type[Claim]) -> ColumnElement[bool]:
    mine, theirs = aliased(SpecialistProfile), aliased(SpecialistProfile)
    my, their = each_of(mine.employers, "my"), each_of(theirs.employers, "their")
    my_key, their_key = organisation_key(my.c.value), organisation_key(their.c.value)
    shared = (
        select(literal(1))
        .select_from(mine)
        .join(my, literal(True))
        .join(theirs, theirs.person_id == other.specialist_id)
        .join(their, literal(True))
        .where(mine.person_id == person, my_key == their_key, my_key != "")
    )
    return shared.correlate(other).exists()


def still_apart(session: Session, job: Job, claim: Claim) -> bool:
    """Whether a claim that was just made has no linked person beside it at its task.

    Takes the task's row first, so that two linked people who claim at the same moment come here
    one after the other, and the second sees the first. To be asked in the claim's transaction.
    """
    turn = select(Task.id).where(Task.id == claim.task_id).with_for_update(key_share=True)
    session.execute(turn)
    person = literal(claim.specialist_id, Uuid())
    linked = select(_linked_to_another(job.distinct_by, person)).where(Seat.id == claim.seat_id)
    return not session.scalar(linked)
