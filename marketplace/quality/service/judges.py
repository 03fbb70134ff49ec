"""Judges: setting one up, changing it by a new version, retiring it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.endpoints import queries as endpoints
from marketplace.endpoints import rules as endpoint_rules
from marketplace.endpoints.models import ModelEndpoint
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.quality.models import Judge, JudgeVersion
from marketplace.quality.queries.judges import judge_of
from marketplace.quality.rules.judges import asking
from marketplace.quality.rules.judges.asking import AnswerFormat
from marketplace.tasktypes import Json, task_type

TOKENS_MAX = 1_000
DEFAULTS: Mapping[str, Any] = {
    "prompt": asking.DEFAULT_PROMPT,
    "answer_format": AnswerFormat.JSON_SCHEMA,
    "temperature": Decimal(0),
    "top_p": None,
    "seed": None,
    "tokens_max": TOKENS_MAX,
    "both_orders": True,
}


def create_judge(
    session: Session, actor: Actor, *, name: str, fields: Mapping[str, Any]
) -> JudgeVersion:
    """A judge with its first version. fields: endpoint (its name), aspects, and any of `DEFAULTS`.

    Raises Faulty with a pointer for each field, Conflict where the name is taken.
    """
    actor.require(Permission.JOBS_EDIT)
    if not endpoint_rules.NAME.fullmatch(name):
        advice = "Use 1 to 64 letters, digits, hyphens and underscores."
        raise Faulty("The judge needs another name.", [Fault("/name", advice)])
    taken = select(Judge.id).where(
        Judge.organisation_id == actor.organisation(), Judge.name == name
    )
    if session.scalar(taken) is not None:
        words = f"There is, or was, a judge “{name}”. Choose another name."
        raise Faulty(words, [Fault("/name", words)])
    judge = Judge(
        id=new_id(),
        organisation_id=actor.organisation(),
        name=name,
        created_by=actor.person(),
        created_at=clock.now(),
    )
    made = _version(session, actor, judge, 1, fields)
    session.add(judge)
    session.flush()  # The version refers to it.
    session.add(made)
    session.flush()  # Whoever goes on reads it back.
    audit.record(session, actor, "set up a judge", judge.id)
    return made


def change_judge(
    session: Session, actor: Actor, judge_id: UUID, fields: Mapping[str, Any]
) -> JudgeVersion:
    """A new version with what is given; the current one where nothing that decides answers is new.

    Versions never change, so what was said under one can always be told by its hash.
    """
    actor.require(Permission.JOBS_EDIT)
    judge = judge_of(session, actor, judge_id)
    session.refresh(judge, with_for_update=True)
    if judge.retired_at is not None:
        raise Conflict("This judge is retired.")
    former = current_version(session, judge.id)
    held = {name: getattr(former, name) for name in (*DEFAULTS, "aspects")}
    given = {**held, **fields}
    if "endpoint" not in fields:
        kept = session.get_one(ModelEndpoint, former.endpoint_id)
        given |= {"endpoint": kept.name, "model": fields.get("model", former.model)}
    made = _version(session, actor, judge, former.number + 1, given)
    if made.frozen_sha256 == former.frozen_sha256:
        return former
    session.add(made)
    session.flush()  # Whoever goes on reads it back.
    audit.record(session, actor, "changed a judge", judge.id, number=made.number)
    return made


def retire_judge(session: Session, actor: Actor, judge_id: UUID) -> None:
    """Ask this judge nothing new; what it said and its reports stay, and its name stays taken."""
    actor.require(Permission.JOBS_EDIT)
    judge = judge_of(session, actor, judge_id)
    if judge.retired_at is None:
        judge.retired_at = clock.now()
        audit.record(session, actor, "retired a judge", judge.id)


def current_version(session: Session, judge_id: UUID) -> JudgeVersion:
    """The newest version of a judge."""
    last = select(func.max(JudgeVersion.number)).where(JudgeVersion.judge_id == judge_id)
    found = select(JudgeVersion).where(
        JudgeVersion.judge_id == judge_id, JudgeVersion.number == last.scalar_subquery()
    )
    return session.scalars(found).one()


def endpoint_name(session: Session, version: JudgeVersion) -> str:
    """What templates and forms call the endpoint of a version."""
    return session.get_one(ModelEndpoint, version.endpoint_id).name


def _version(
    session: Session, actor: Actor, judge: Judge, number: int, fields: Mapping[str, Any]
) -> JudgeVersion:
    given = {**DEFAULTS, **fields}
    endpoint = _endpoint(session, actor, given.get("endpoint"))
    aspects = _aspects(given.get("aspects"))
    sampling = _sampling(given)
    prompt = asking.check_prompt(str(given["prompt"]))
    named = {"model": given.get("model") or endpoint.model}
    model = endpoint_rules.cleaned(named)["model"]
    schema = asking.output_schema(aspects)
    frozen = {
        "base_url": endpoint.base_url,
        "model": model,
        "prompt": prompt,
        "schema": schema,
        "aspects": aspects,
        **{name: None if value is None else str(value) for name, value in sampling.items()},
    }
    return JudgeVersion(
        id=new_id(),
        judge_id=judge.id,
        number=number,
        endpoint_id=endpoint.id,
        model=model,
        prompt=prompt,
        prompt_sha256=asking.sha256_of(prompt),
        aspects=aspects,
        output_schema=schema,
        frozen_sha256=asking.sha256_of(frozen),
        created_by=actor.person(),
        created_at=clock.now(),
        **sampling,
    )


def _endpoint(session: Session, actor: Actor, name: object) -> ModelEndpoint:
    there = endpoints.named(session, actor.organisation(), [str(name)])
    if not isinstance(name, str) or name not in there:
        fault = Fault("/endpoint", "Choose one of your model endpoints.")
        raise Faulty("The judge needs an endpoint.", [fault])
    return there[name]


def _aspects(aspects: object) -> Sequence[Json]:
    """The dimensions, legal as those of a judge calibration."""
    faults = task_type("judge_calibration").check_template({"aspects": aspects})
    if faults or not isinstance(aspects, list):
        told = faults or [Fault("/aspects", "Give a list of dimensions.")]
        raise Faulty("The dimensions need mending.", told)
    return aspects


def _sampling(given: Mapping[str, Any]) -> dict[str, Any]:
    read = endpoint_rules.cleaned(
        {
            "temperature": given["temperature"],
            "top_p": given["top_p"],
            "tokens_a_turn_max": given["tokens_max"],
        }
    )
    seed = given["seed"]
    if seed is not None and (type(seed) is not int or not 0 <= seed < 2**31):
        fault = Fault("/seed", "Give a whole number from 0 to 2,147,483,647, or nothing.")
        raise Faulty("The seed cannot be used.", [fault])
    try:
        form = AnswerFormat(given["answer_format"])
    except ValueError:
        fault = Fault("/answer_format", f"Choose one of {', '.join(AnswerFormat)}.")
        raise Faulty("There is no such form of answers.", [fault]) from None
    return {
        "temperature": read["temperature"],
        "top_p": read["top_p"],
        "tokens_max": read["tokens_a_turn_max"],
        "seed": seed,
        "answer_format": form,
        "both_orders": bool(given["both_orders"]),
    }


def live_version(session: Session, actor: Actor, version_id: UUID) -> tuple[Judge, JudgeVersion]:
    """A version of a judge of the actor's that is not retired, with its judge."""
    version = session.get(JudgeVersion, version_id)
    if version is None:
        raise Missing("There is no such version of a judge.")
    judge = judge_of(session, actor, version.judge_id)
    if judge.retired_at is not None:
        raise Conflict("This judge is retired.")
    return judge, version
