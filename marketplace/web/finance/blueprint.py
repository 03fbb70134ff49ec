"""The blueprint of finance's pages."""

from flask import Blueprint

finance = Blueprint("finance", __name__, url_prefix="/finance")
