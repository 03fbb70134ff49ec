"""Every operation keeps its document's promises, whoever calls and whatever is sent.

schemathesis makes up calls from the document: such as it allows and such as it forbids. No answer
is a fault of ours, has a status that the document does not name, or a body off its schema. The
calls are the same in each run. The long run makes many more, by every role.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from redis import Redis
from schemathesis.generation import GenerationMode
from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from tests.contract.caller import Caller, Operation, may, told
from tests.contract.world import world
from tests.make.billing import Stripe

LONG = 10
# So that what was found is told now and then.
PARTS = 4


def turns(operation: Operation, number: int) -> list[Role | None]:
    """Somebody who may, another for each operation; each third time one kept out, or nobody."""
    let_in = may(operation)
    kept_out: list[Role | None] = [None, *(role for role in Role if role not in let_in)]
    one = let_in[number % len(let_in)]
    return [kept_out[number % len(kept_out)] if number % 3 == 2 else one]


def test_a_few_calls_of_every_operation(
    operations: Sequence[Operation], session: Session, redis: Redis, stripe: Stripe
) -> None:
    caller = Caller(session, redis, world(session))
    for number, operation in enumerate(operations):
        # To make up calls takes longest: every other operation gets one that the document forbids.
        modes = [GenerationMode.NEGATIVE if number % 2 else GenerationMode.POSITIVE]
        caller.try_all(operation, turns(operation, number), examples=1, modes=modes)

    assert not caller.wrong, told(caller)


@pytest.mark.slow
@pytest.mark.usefixtures("stripe")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("role", [*Role, None])
def test_many_calls_of_every_operation_by(
    operations: Sequence[Operation],
    session: Session,
    redis: Redis,
    role: Role | None,
    part: int,
) -> None:
    caller = Caller(session, redis, world(session, whole=True))
    for operation in operations[part::PARTS]:
        caller.try_all(operation, [role], examples=LONG if role in may(operation) else 2)

    assert not caller.wrong, told(caller)
