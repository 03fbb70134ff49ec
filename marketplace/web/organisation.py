"""An organisation's members, their roles, and invitations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import limits
from marketplace.db import transaction
from marketplace.identity import queries, service
from marketplace.identity.rules import ROLE_LABELS, ROLES_IN, Permission
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs

organisation = Blueprint("organisation", __name__, url_prefix="/organisation")


class InviteForm(Form):
    """Whom to invite, as what."""

    email = fields.String(required=True)
    role = fields.String(required=True)


class NameForm(Form):
    """The organisation's name."""

    name = fields.String(required=True)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        here = queries.organisation_of(session, me())
        return {
            "organisation": here,
            "members": queries.members_of(session, me()),
            "invitations": queries.open_invitations(session, me()),
            "roles": [(role.value, ROLE_LABELS[role]) for role in ROLES_IN[here.kind]],
            "me_id": me().person_id,
        }


@organisation.get("/members")
@needs(Permission.MEMBERS_MANAGE)
def members() -> str:
    """Members and open invitations."""
    return render_template("account/members.html", **_facts())


@organisation.post("/members/<uuid:person_id>")
@needs(Permission.MEMBERS_MANAGE)
def change_roles(person_id: UUID) -> Response:
    """Set a member's roles; none of them removes the member."""
    with transaction() as session:
        kept = service.change_roles(session, me(), person_id, request.form.getlist("roles"))
    flash("The roles are changed." if kept else "The person is no longer a member.", "good")
    return redirect(url_for("front.show" if person_id == me().person_id else ".members"), 303)


@organisation.post("/invitations")
@needs(Permission.MEMBERS_MANAGE)
@form_page("account/members.html", _facts)
def invite() -> Response:
    """Invite someone; a link is mailed."""
    asked = load(InviteForm)
    limits.current().hit(limits.SIGN_UP, str(me().organisation()))
    with transaction() as session:
        service.invite(session, me(), **asked)
    flash("The invitation is on its way.", "good")
    return redirect(url_for("organisation.members"), code=303)


@organisation.post("/invitations/<uuid:invitation_id>/withdraw")
@needs(Permission.MEMBERS_MANAGE)
def withdraw(invitation_id: UUID) -> Response:
    """Take an invitation back."""
    with transaction() as session:
        service.withdraw_invitation(session, me(), invitation_id)
    flash("The invitation is withdrawn.", "good")
    return redirect(url_for("organisation.members"), code=303)


@organisation.post("/name")
@needs(Permission.MEMBERS_MANAGE)
@form_page("account/members.html", _facts)
def rename() -> Response:
    """Rename the organisation."""
    asked = load(NameForm)
    with transaction() as session:
        service.rename_organisation(session, me(), asked["name"])
    flash("The name is changed.", "good")
    return redirect(url_for("organisation.members"), code=303)
