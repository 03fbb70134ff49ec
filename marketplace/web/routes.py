"""All blueprints: one line each. An API module's blueprint is flask-smorest's.

To add pages, add a line to PAGES: the module and the name of its blueprint. To add API endpoints,
add a line to API. Both must mark every view with a guard (see guards).
"""

from __future__ import annotations

import importlib

from flask import Blueprint, Flask
from flask_smorest import Api
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]

PAGES = (
    "marketplace.web.front:front",
    "marketplace.web.health:health",
    "marketplace.web.sign_in:sign_in",
    "marketplace.web.account:account",
    "marketplace.web.organisation:organisation",
    "marketplace.web.labs.jobs:jobs",
    "marketplace.web.labs.files:files",
    "marketplace.web.labs.gallery:gallery",
    "marketplace.web.labs.preview:preview",
    "marketplace.web.labs.versions:versions",
    "marketplace.web.labs.overview:overview",
    "marketplace.web.labs.outcomes:outcomes",
    "marketplace.web.labs.items:items",
    "marketplace.web.labs.imports:imports",
    "marketplace.web.labs.images:images",
    "marketplace.web.labs.endpoints:endpoints",
    "marketplace.web.labs.judges:judges",
    "marketplace.web.labs.judge_reports:reports",
    "marketplace.web.labs.scans:scans",
    "marketplace.web.labs.gold:gold",
    "marketplace.web.labs.quality:quality",
    "marketplace.web.labs.disagreements:disagreements",
    "marketplace.web.labs.pipeline:pipeline",
    "marketplace.web.labs.quote:quote",
    "marketplace.web.labs.qualification:qualification",
    "marketplace.web.labs.review:review",
    "marketplace.web.labs.review_batch:review_batch",
    "marketplace.web.labs.review_rules:review_rules",
    "marketplace.web.labs.holds:holds",
    "marketplace.web.labs.contested:contested",
    "marketplace.web.labs.appeals:appeals",
    "marketplace.web.labs.balance:balance",
    "marketplace.web.labs.refunds:refunds",
    "marketplace.web.labs.limits:limits",
    "marketplace.web.labs.invoices:invoices",
    "marketplace.web.labs.statements:statements",
    "marketplace.web.labs.exports:exports",
    "marketplace.web.labs.webhooks:webhooks",
    "marketplace.web.labs.webhook_deliveries:deliveries",
    "marketplace.web.labs.provenance:provenance",
    "marketplace.web.signing_keys:signing_keys",
    "marketplace.web.labs.export:export_page",
    "marketplace.web.labs.data_card:data_card",
    "marketplace.web.labs.quick_start:quick_start",
    "marketplace.web.finance:finance",
    "marketplace.web.docs:docs",
    "marketplace.web.house:house",
    "marketplace.web.specialists:specialists",
    "marketplace.web.specialists.workbench:workbench",
    "marketplace.web.specialists.drafts:drafts",
    "marketplace.web.specialists.images:claim_images",
    "marketplace.web.specialists.conversations:conversations",
    "marketplace.web.specialists.trace:trace",
    "marketplace.web.operations:operations",
    "marketplace.web.operations.rules:quality_control",
)
# Verified by a signature over the body instead of a form token.
SIGNED_BODIES = ("marketplace.web.webhooks:webhooks",)
# Bearer tokens only: a browser's cookie opens nothing here, so there is nothing to forge.
API: tuple[str, ...] = (
    "marketplace.web.api.me:me_api",
    "marketplace.web.api.jobs:jobs_api",
    "marketplace.web.api.versions:versions_api",
    "marketplace.web.api.items:items_api",
    "marketplace.web.api.imports:imports_api",
    "marketplace.web.api.images:images_api",
    "marketplace.web.api.scans:scans_api",
    "marketplace.web.api.gold:gold_api",
    "marketplace.web.api.quality_control:quality_control_api",
    "marketplace.web.api.integrity:integrity_api",
    "marketplace.web.api.pipelines:pipelines_api",
    "marketplace.web.api.work:work_api",
    "marketplace.web.api.statement:statement_api",
    "marketplace.web.api.qualifications:qualifications_api",
    "marketplace.web.api.receipts:receipts_api",
    "marketplace.web.api.conversations:conversations_api",
    "marketplace.web.api.endpoints:endpoints_api",
    "marketplace.web.api.quality:quality_api",
    "marketplace.web.api.disagreements:disagreements_api",
    "marketplace.web.api.judges:judges_api",
    "marketplace.web.api.review:review_api",
    "marketplace.web.api.reviewing:reviewing_api",
    "marketplace.web.api.appeals:appeals_api",
    "marketplace.web.api.delivery:delivery_api",
    "marketplace.web.api.provenance:provenance_api",
    "marketplace.web.api.cards:cards_api",
    "marketplace.web.api.webhooks:events_api",
    "marketplace.web.api.billing:billing_api",
    "marketplace.web.api.spending:spending_api",
    "marketplace.web.api.invoices:invoices_api",
    "marketplace.web.api.corrections:corrections_api",
    "marketplace.web.api.finance:finance_api",
    "marketplace.web.api.statements:statements_api",
    "marketplace.web.api.breaks:breaks_api",
    "marketplace.web.api.closing:closing_api",
    "marketplace.web.api.credentials:credentials_api",
    "marketplace.web.api.operations:operations_api",
)


def found(name: str) -> Blueprint:
    """The blueprint that `module:attribute` names."""
    module, _, attribute = name.partition(":")
    blueprint = getattr(importlib.import_module(module), attribute)
    if not isinstance(blueprint, Blueprint):
        raise TypeError(f"{name} is not a blueprint.")
    return blueprint


def register(app: Flask, csrf: CSRFProtect, api: Api) -> None:
    """Register everything that this application answers."""
    for name in PAGES:
        app.register_blueprint(found(name))
    for name in SIGNED_BODIES:
        blueprint = found(name)
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    for name in API:
        blueprint = found(name)
        csrf.exempt(blueprint)
        api.register_blueprint(blueprint)
