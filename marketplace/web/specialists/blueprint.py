"""The blueprint of a specialist's own pages; the workbench has its own."""

from flask import Blueprint, current_app, url_for

specialists = Blueprint("specialists", __name__, url_prefix="/work")


def page_there(endpoint: str) -> str:
    """The address of a page, or nothing where this application has no such page."""
    return url_for(endpoint) if endpoint in current_app.view_functions else ""
