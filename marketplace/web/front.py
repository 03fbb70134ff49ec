"""The front page: what this is for strangers, and the way home for who is signed in."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.web.frame import home_of
from marketplace.web.guards import public, visitor

front = Blueprint("front", __name__)


@front.get("/")
@public
def show() -> str | Response:
    """The public page, or one's own first page."""
    here = visitor()
    if here is not None:
        return redirect(home_of(here), code=303)
    return render_template("public/home.html")
