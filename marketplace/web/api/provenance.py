"""Provenance over the API: where judgements come from, a job's signed heads, proofs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from marketplace.db import transaction
from marketplace.delivery import queries
from marketplace.delivery.queries import Bound, Origin, Step
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, SubmissionId
from marketplace.verify.keys import packed
from marketplace.web import api
from marketplace.web.guards import me, needs
from marketplace.web.proofs import MIMETYPE, proof_of

provenance_api = api.blueprint("provenance", "Provenance: where judgements come from, and proofs.")
HEADS_MAX = 200


class CredentialThen(Schema):
    """What was attested of the author when the work was handed in, as a lab may know it."""

    profession = fields.String()
    specialties = fields.List(fields.String())
    jurisdiction = fields.String(allow_none=True)
    level = fields.Integer()


class ChainStepShown(Schema):
    """Something that happened; `event` is its number in the job's chain, `link` its hash there."""

    what = fields.String()
    at = fields.AwareDateTime(format="iso")
    by = fields.String(metadata={"description": "A pseudonym of yours, or empty"})
    event = fields.Integer(allow_none=True)
    link = fields.String(allow_none=True)
    verdict = fields.Dict(keys=fields.String(), allow_none=True)


class ProvenanceShown(Schema):
    """Where a judgement comes from. `content` is what its hand-in fixed: `commitment` is the
    HMAC-SHA256 of its canonical JSON under `salt`, which is null once the author is erased."""

    submission_id = fields.UUID()
    job_id = fields.UUID()
    external_id = fields.String()
    credential_level = fields.Integer()
    attested = fields.List(fields.Nested(CredentialThen))
    content = fields.Dict(keys=fields.String())
    idle_seconds = fields.Integer()
    commitment = fields.String(allow_none=True)
    salt = fields.String(allow_none=True)
    event = fields.Integer(allow_none=True)
    bound = fields.Enum(Bound, by_value=True)
    review = fields.Dict(keys=fields.String(), allow_none=True)
    gold = fields.Dict(keys=fields.String(), allow_none=True)
    skill = fields.Dict(keys=fields.String(), allow_none=True)
    steps = fields.List(fields.Nested(ChainStepShown))


@provenance_api.get("/submissions/<uuid:submission_id>/provenance")
@needs(Permission.JOBS_VIEW)
@provenance_api.response(200, ProvenanceShown)
def get_provenance(submission_id: UUID) -> dict[str, Any]:
    """Who gave this judgement, when, under what, and what was said of it since."""
    with transaction() as session:
        origin = queries.origin_of(session, me(), SubmissionId(submission_id))
        return shown(origin)


def shown(origin: Origin) -> dict[str, Any]:
    """The fields of `ProvenanceShown`."""
    given = origin.submission
    return {
        "submission_id": given.id,
        "job_id": given.job_id,
        "external_id": origin.external_id,
        "credential_level": given.credential_level,
        "attested": [
            {
                "profession": each.profession,
                "specialties": sorted(each.specialties),
                "jurisdiction": each.jurisdiction or None,
                "level": each.level,
            }
            for each in origin.attested
        ],
        "content": origin.content,
        "idle_seconds": origin.idle_seconds,
        "commitment": origin.commitment.hex() if origin.commitment else None,
        "salt": packed(bytes(given.salt)) if given.salt is not None else None,
        "event": origin.number,
        "bound": origin.bound,
        "review": origin.told["review"],
        "gold": origin.told["gold"],
        "skill": origin.told["skill"],
        "steps": [_step(each) for each in origin.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "what": step.what,
        "at": step.at,
        "by": step.by,
        "event": step.number,
        "link": bytes(step.link).hex() if step.link is not None else None,
        "verdict": step.said,
    }


class DayHeadShown(Schema):
    """A chain's head as it was kept on a day; the signature covers scope, day, number and hash."""

    day = fields.Date()
    number = fields.Integer()
    hash = fields.Function(lambda head: bytes(head.hash).hex(), metadata={"type": "string"})
    key_id = fields.String()
    signature = fields.Function(
        lambda head: packed(bytes(head.signature)), metadata={"type": "string"}
    )


class JobChainShown(Schema):
    """A job's chain of events: how far it is, and its heads by day, newest first."""

    scope = fields.String()
    number = fields.Integer()
    hash = fields.String()
    heads = fields.List(fields.Nested(DayHeadShown))


@provenance_api.get("/jobs/<uuid:job_id>/chain")
@needs(Permission.JOBS_VIEW)
@provenance_api.response(200, JobChainShown)
def get_chain(job_id: UUID) -> dict[str, Any]:
    """The job's chain: save its heads, and no past can be told differently to you."""
    with transaction() as session:
        number, head = queries.chain_of(session, me(), JobId(job_id))
        heads = queries.heads_of(session, me(), JobId(job_id), limit=HEADS_MAX)
    return {"scope": f"job:{job_id}", "number": number, "hash": head.hex(), "heads": heads}


@provenance_api.get("/exports/<uuid:export_id>/proof")
@needs(Permission.EXPORTS_CREATE)
@provenance_api.doc(
    responses={
        "200": {
            "description": "The proof: JSON lines, packed with gzip",
            "content": {MIMETYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    }
)
@api.refuses(409)
def get_export_proof(export_id: UUID) -> Response:
    """The proof of a finished export; `marketplace verify` reads it."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    return proof_of(export)
