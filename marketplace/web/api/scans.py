"""The scan for personal details over the API: its report, and what the lab declares."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from marshmallow.validate import OneOf
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.jobs import queries, service
from marketplace.jobs.queries import ScanReport
from marketplace.jobs.rules.scan import SURE, Declaration
from marketplace.web import api
from marketplace.web.guards import me, needs

scans_api = api.blueprint("scans", "Scans: personal details in the items of a job.")


class ScanPlaceShown(Schema):
    """One of the first places; shown: the value with nearly all of it covered."""

    external_id = fields.String()
    position = fields.Integer()
    shown = fields.String()


class ScanFindingShown(Schema):
    """Likely details of one kind in one field. field: a pointer, `*` for any row of a list; sure:
    whether its form or check digit leaves little doubt."""

    kind = fields.String()
    field = fields.String()
    sure = fields.Function(lambda finding: finding.kind in SURE, metadata={"type": "boolean"})
    found = fields.Integer()
    items = fields.Integer()
    places = fields.List(fields.Nested(ScanPlaceShown))


class ScanShown(Schema):
    """The report. items_read of item_count were looked at; found: details in items_marked items;
    declaration: what the lab says of all that was found until `declared_found`."""

    scanner_version = fields.String(allow_none=True)
    complete = fields.Boolean()
    item_count = fields.Integer()
    items_read = fields.Integer()
    items_marked = fields.Integer()
    found = fields.Integer()
    scanned_at = fields.AwareDateTime(allow_none=True)
    declaration = fields.String(allow_none=True)
    declared_found = fields.Integer(allow_none=True)
    declared_at = fields.AwareDateTime(allow_none=True)
    findings = fields.List(fields.Nested(ScanFindingShown))


class DeclarationAsked(Schema):
    """What the lab says: `none` (about no real person), `deidentified` or `permitted`."""

    declaration = fields.String(required=True, validate=OneOf([*Declaration]))


def _shown(report: ScanReport) -> dict[str, Any]:
    scan = report.scan
    return {
        "scanner_version": scan.scanner_version if scan else None,
        "complete": report.is_whole,
        "item_count": report.item_count,
        "items_read": scan.position if scan else 0,
        "items_marked": scan.items if scan else 0,
        "found": scan.found if scan else 0,
        "scanned_at": scan.scanned_at if scan else None,
        "declaration": scan.declaration if scan else None,
        "declared_found": scan.declared_found if scan else None,
        "declared_at": scan.declared_at if scan else None,
        "findings": report.findings,
    }


@scans_api.get("/jobs/<uuid:job_id>/scan")
@needs(Permission.JOBS_VIEW)
@scans_api.response(200, ScanShown)
def get_scan(job_id: UUID) -> dict[str, Any]:
    """What the scan found so far, by kind and field, without any value."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        return _shown(queries.scan_report(session, job))


@scans_api.post("/jobs/<uuid:job_id>/scan/declaration")
@needs(Permission.JOBS_PUBLISH)
@api.once
@scans_api.arguments(DeclarationAsked)
@scans_api.response(200, ScanShown)
def post_declaration(session: Session, asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Say why the items may be judged here; 409 while the scan has not looked at all of them."""
    service.declare(session, me(), job_id, Declaration(asked["declaration"]))
    return _shown(queries.scan_report(session, queries.job_of(session, me(), job_id)))
