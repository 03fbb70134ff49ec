"""What the API says about credentials."""

from __future__ import annotations

from marshmallow import Schema, fields


class CredentialShown(Schema):
    """A credential claim, without its identifier."""

    id = fields.UUID()
    person_id = fields.UUID()
    profession = fields.String()
    type = fields.String()
    specialties = fields.List(fields.String())
    jurisdiction = fields.String()
    state = fields.String()
    level = fields.Integer()
    reason = fields.String(allow_none=True)
    valid_until = fields.Date(allow_none=True)
    checked_at = fields.AwareDateTime(allow_none=True)
    created_at = fields.AwareDateTime()


class VerificationShown(Schema):
    """What one verifier found. outcome: pass, fail, inconclusive or unavailable."""

    verifier = fields.String()
    kind = fields.String()
    outcome = fields.String()
    level = fields.Integer()
    reasons = fields.List(fields.String())
    ran_at = fields.AwareDateTime()


class RenewalShown(Schema):
    """A later last day that was asked for. granted: null while nobody has looked; refusal: why it
    was not granted: not_shown, nothing_sent, unreadable or other_person."""

    id = fields.UUID()
    claim_id = fields.UUID()
    valid_until = fields.Date()
    asked_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)
    granted = fields.Boolean(allow_none=True)
    refusal = fields.String(allow_none=True)


class AmendmentShown(Schema):
    """Specialties that were asked for beside those covered. granted: those that were added, null
    while nobody has looked; refusal: why others were not, or taken_back."""

    id = fields.UUID()
    claim_id = fields.UUID()
    specialties = fields.List(fields.String())
    asked_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)
    granted = fields.List(fields.String(), allow_none=True)
    refusal = fields.String(allow_none=True)


class EvidenceShown(Schema):
    """An evidence file. sha256: hexadecimal, of what was sent; it stays after the file is gone."""

    id = fields.UUID()
    claim_id = fields.UUID()
    name = fields.String(allow_none=True)
    media_type = fields.String()
    size_bytes = fields.Integer()
    sha256 = fields.String()
    created_at = fields.AwareDateTime()
    kept_until = fields.Date()
    purged_at = fields.AwareDateTime(allow_none=True)


class CredentialDetail(CredentialShown):
    """A credential with all that was found about it, newest first."""

    identifier = fields.String(allow_none=True)
    runs = fields.List(fields.Nested(VerificationShown))
    renewals = fields.List(fields.Nested(RenewalShown))
    amendments = fields.List(fields.Nested(AmendmentShown))
    files = fields.List(fields.Nested(EvidenceShown))


class CredentialProposalShown(Schema):
    """A decision that waits for a second person."""

    outcome = fields.String()
    level = fields.Integer()
    person_id = fields.UUID()
    valid_until = fields.Date(allow_none=True)
    specialties = fields.List(fields.String())
    proposed_at = fields.AwareDateTime()


class CredentialDecided(CredentialShown):
    """A credential after a decision. proposal: what a second person has yet to confirm, or null."""

    proposal = fields.Nested(CredentialProposalShown, allow_none=True)
