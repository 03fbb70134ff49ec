"""The blueprint of a specialist's own pages; the workbench has its own."""

from flask import Blueprint

specialists = Blueprint("specialists", __name__, url_prefix="/work")
