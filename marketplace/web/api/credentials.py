"""Credentials over the API, for the specialists who hold them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists import queries
from marketplace.specialists import service as specialists
from marketplace.specialists.models import (
    CredentialAmendment,
    CredentialClaim,
    CredentialRenewal,
    EvidenceFile,
)
from marketplace.specialists.rules.evidence import ENDINGS
from marketplace.web import api
from marketplace.web.api.credential_shapes import (
    AmendmentShown,
    CredentialDetail,
    CredentialShown,
    EvidenceShown,
    RenewalShown,
)
from marketplace.web.evidence import REQUEST_BYTES_MAX, download, kept_evidence
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_up_to

credentials_api = api.blueprint("credentials", "Credentials of one's own.")


class CredentialsShown(Schema):
    """All of one's credentials."""

    items = fields.List(fields.Nested(CredentialShown))


class CredentialAsked(Schema):
    """A credential that one holds. valid_until: the licence's last day, where it has one."""

    type = fields.String(required=True)
    identifier = fields.String(required=True)
    jurisdiction = fields.String(load_default="")
    specialties = fields.List(fields.String(), load_default=list)
    valid_until = fields.Date(load_default=None, allow_none=True)


class RenewalAsked(Schema):
    """The new last day."""

    valid_until = fields.Date(required=True)


class AmendmentAsked(Schema):
    """Specialties that the credential does not cover yet."""

    specialties = fields.List(fields.String(), required=True)


@credentials_api.get("/credentials")
@needs(Permission.CREDENTIALS_CLAIM)
@credentials_api.response(200, CredentialsShown)
def list_own_credentials() -> dict[str, Any]:
    """Your credentials, newest first, at most 200."""
    with transaction() as session:
        return {"items": queries.credentials_of(session, me(), me().person())}


@credentials_api.post("/credentials")
@needs(Permission.CREDENTIALS_CLAIM)
@api.once
@credentials_api.arguments(CredentialAsked)
@credentials_api.response(201, CredentialShown)
def post_credential(session: Session, asked: dict[str, Any]) -> CredentialClaim:
    """Claim a credential; what can be checked offline is checked at once.

    One that another account holds is stored as `blocked` until operations has compared the two.
    """
    return specialists.claim_credential(session, me(), **asked)


@credentials_api.get("/credentials/<uuid:claim_id>")
@needs(Permission.CREDENTIALS_CLAIM)
@credentials_api.response(200, CredentialDetail)
def get_credential(claim_id: UUID) -> dict[str, Any]:
    """One of your credentials, with every check, renewal and file."""
    with transaction() as session:
        detail = queries.claim_of(session, me(), claim_id)
    if detail.claim.person_id != me().person():
        raise Missing("There is no such credential.")
    plain = {name: getattr(detail.claim, name) for name in CredentialShown().fields}
    return plain | {
        "identifier": detail.claim.identifier,
        "runs": [run for run, _ in detail.runs],
        "renewals": detail.renewals,
        "amendments": detail.amendments,
        "files": detail.files,
    }


@credentials_api.post("/credentials/<uuid:claim_id>/withdraw")
@needs(Permission.CREDENTIALS_CLAIM)
@api.once
@credentials_api.response(200, CredentialShown)
def post_withdrawal(session: Session, claim_id: UUID) -> CredentialClaim:
    """Take a claim back before a decision; its identifier is free again."""
    return specialists.withdraw_credential(session, me(), claim_id)


@credentials_api.post("/credentials/<uuid:claim_id>/renew")
@needs(Permission.CREDENTIALS_CLAIM)
@api.once
@credentials_api.arguments(RenewalAsked)
@credentials_api.response(201, RenewalShown)
def post_renewal(session: Session, asked: dict[str, Any], claim_id: UUID) -> CredentialRenewal:
    """Ask for a later last day; what holds, holds until its own. Send a file that shows it."""
    return specialists.renew_credential(session, me(), claim_id, valid_until=asked["valid_until"])


@credentials_api.post("/credentials/<uuid:claim_id>/amend")
@needs(Permission.CREDENTIALS_CLAIM)
@api.once
@credentials_api.arguments(AmendmentAsked)
@credentials_api.response(201, AmendmentShown)
def post_amendment(session: Session, asked: dict[str, Any], claim_id: UUID) -> CredentialAmendment:
    """Ask for further specialties; what holds, holds meanwhile. Send a file that shows them."""
    return specialists.amend_credential(session, me(), claim_id, **asked)


@credentials_api.post("/credentials/<uuid:claim_id>/amend/withdraw")
@needs(Permission.CREDENTIALS_CLAIM)
@api.once
@credentials_api.response(200, CredentialShown)
def post_amendment_withdrawal(session: Session, claim_id: UUID) -> CredentialClaim:
    """Ask for those specialties no more."""
    return specialists.take_back_amendment(session, me(), claim_id)


@credentials_api.post("/credentials/<uuid:claim_id>/recheck")
@needs(Permission.CREDENTIALS_CLAIM)
@api.once
@credentials_api.response(200, CredentialShown)
def post_recheck(session: Session, claim_id: UUID) -> CredentialClaim:
    """Have the sources asked again, at most once a day."""
    return specialists.recheck_credential(session, me(), claim_id)


@credentials_api.post("/credentials/<uuid:claim_id>/evidence")
@takes_up_to(REQUEST_BYTES_MAX)
@needs(Permission.CREDENTIALS_CLAIM)
@credentials_api.response(201, EvidenceShown)
@credentials_api.doc(
    requestBody={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
)
def post_evidence(claim_id: UUID) -> EvidenceFile:
    """Send a PDF, PNG or JPEG of at most 10 MiB; it is kept encrypted until `kept_until`."""
    return kept_evidence(me(), claim_id)


@credentials_api.get("/credentials/<uuid:claim_id>/evidence/<uuid:file_id>")
@needs(Permission.CREDENTIALS_CLAIM)
@credentials_api.doc(
    responses={
        "200": {
            "description": "The file",
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}} for kind in ENDINGS
            },
        }
    }
)
def get_evidence(claim_id: UUID, file_id: UUID) -> Response:
    """A file that you sent, or that operations added, to be saved."""
    return download(me(), claim_id, file_id)
