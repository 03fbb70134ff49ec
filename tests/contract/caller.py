"""Calls made up by schemathesis out of the document, and what their answers must keep."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from redis import Redis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks
from sqlalchemy.orm import Session

from marketplace.identity.rules import GRANTS, Permission, Role
from tests.contract.world import World, parameters

Operation = APIOperation[Any, Any, Any, Any]
Made = Case[Any]
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
# How often a path names a thing that is there; else schemathesis makes up an id.
REAL = 0.8
EXCERPT = 600


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """A body of lines as it is sent."""
    del context
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@dataclass(slots=True)
class Caller:
    """Makes calls in a world and undoes each; keeps what was wrong, and each status seen."""

    session: Session
    redis: Redis
    world: World
    wrong: dict[tuple[str, str, int], str] = field(default_factory=dict)
    seen: set[tuple[str, int]] = field(default_factory=set)

    def try_all(
        self,
        operation: Operation,
        roles: Sequence[Role | None],
        examples: int,
        modes: Sequence[GenerationMode] = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE),
    ) -> None:
        """So many calls that the document allows and as many that it does not, by turns of roles.

        None stands for somebody without a token.
        """
        chance = random.Random(operation.label)
        turns = iter(range(10_000))

        def call(case: Made) -> None:
            role = roles[next(turns) % len(roles)]
            self._name_real_things(case, chance)
            self._call(case, role)

        for mode in modes:
            tried = settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(given(case=operation.as_strategy(generation_mode=mode))(call))
            try:
                tried()
            except Unsatisfiable:
                # Some operations take whatever is sent, so nothing is forbidden.
                assert mode is GenerationMode.NEGATIVE

    def _name_real_things(self, case: Made, chance: random.Random) -> None:
        for name in parameters(case.path):
            there = self.world.named(case.path, name)
            if there is not None and name in case.path_parameters and chance.random() < REAL:
                case.path_parameters[name] = there

    def _call(self, case: Made, role: Role | None) -> None:
        headers = {"Accept-Encoding": "identity"}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.world.tokens[role]}"
        self.redis.flushdb()  # No limit is reached by trying.
        with self.session.begin_nested() as point:
            answer = case.call(headers=headers)
            point.rollback()
        self.seen.add((case.operation.label, answer.status_code))
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                self._keep(case, role, answer, failure)
        except Failure as failure:
            self._keep(case, role, answer, failure)

    def _keep(self, case: Made, role: Role | None, answer: Any, failure: BaseException) -> None:
        where = (case.operation.label, type(failure).__name__, answer.status_code)
        told = f"{role}: {failure}\n{answer.content[:EXCERPT]!r}\n{case.as_curl_command()}"
        self.wrong.setdefault(where, told)


def told(caller: Caller) -> str:
    """What was wrong, for whoever reads the test's failure."""
    return "\n\n".join(f"{where}\n{what}" for where, what in caller.wrong.items())


def may(operation: Operation) -> list[Role]:
    """The roles that get through to the operation, as its document says."""
    ways = operation.definition.raw.get("security") or [{}]
    scopes = [{Permission(scope) for scope in way.get("bearer", [])} for way in ways]
    return [role for role in Role if any(each <= GRANTS[role] for each in scopes)]
