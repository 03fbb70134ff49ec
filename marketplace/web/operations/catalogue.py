"""The catalogue: professions, specialties and credential types, changed without a release."""

from __future__ import annotations

import re
from typing import Any

from flask import flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.specialists import queries, service
from marketplace.specialists.queries.catalogue import in_use
from marketplace.specialists.rules import Catalogue, CredentialType, Profession
from marketplace.specialists.rules.catalogue_edits import VERIFIERS
from marketplace.specialists.rules.catalogue_rows import CHECKLIST
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.operations.credentials import at_field

# Empty rows at the end of each list of the form, to be filled in or left.
SPARE_ROWS = 2
ROWS_MAX = 80
PARTS = {
    "formats": ("place", "pattern", "description", "example", "exact"),
    "look_up": ("place", "url"),
    "checklist": ("key", "level", "sentence"),
}
# What makes a row more than an empty one.
TYPED = {"formats": "pattern", "look_up": "url", "checklist": "sentence"}
WHOLE: dict[str, Any] = {"invalid": "Write a whole number."}


class ProfessionForm(Form):
    """A profession."""

    key = fields.String(load_default="")
    title = fields.String(load_default="")


class SpecialtyForm(Form):
    """A specialty; codes with commas."""

    key = fields.String(load_default="")
    title = fields.String(load_default="")
    heading = fields.String(load_default="")
    nucc_codes = fields.String(load_default="")


class TypeForm(Form):
    """A credential type; its lists are read row by row."""

    key = fields.String(load_default="")
    title = fields.String(load_default="")
    profession = fields.String(load_default="")
    jurisdictions = fields.String(load_default="")
    verifiers = fields.List(fields.String(), load_default=list)
    sold_level = fields.Integer(load_default=3, error_messages=WHOLE)
    reverify_days = fields.Integer(load_default=365, error_messages=WHOLE)
    evidence_days = fields.Integer(load_default=400, error_messages=WHOLE)
    auto_verify = fields.Boolean(load_default=False)
    two_person = fields.Boolean(load_default=False)
    expires = fields.Boolean(load_default=False)
    claimable = fields.Boolean(load_default=False)


def _known() -> Catalogue:
    with transaction() as session:
        return queries.catalogue(session)


def _profession(known: Catalogue, key: str) -> Profession:
    found = known.professions.get(key)
    if found is None:
        raise Missing("There is no such profession.")
    return found


def _all() -> dict[str, Any]:
    with transaction() as session:
        known = queries.catalogue(session)
        used = in_use(session, me())
        counts = queries.waiting_counts(session, me())
    by_profession = {
        key: [each for each in known.types.values() if each.profession == key]
        for key in known.professions
    }
    return {"known": known, "used": used, "by_profession": by_profession, "counts": counts}


@operations.get("/catalogue")
@needs(Permission.CREDENTIALS_VERIFY)
def catalogue() -> str:
    """All professions with their credential types and how many people claim each."""
    return render_template("operations/catalogue.html", **_all())


@operations.post("/catalogue")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/catalogue.html", _all)
def add_profession() -> Response:
    """Add a profession."""
    asked = load(ProfessionForm)
    with transaction() as session:
        service.save_profession(session, me(), asked["key"], title=asked["title"], new=True)
    flash("Added. Give it specialties and credential types next.", "good")
    return redirect(url_for("operations.catalogue_profession", key=asked["key"]), code=303)


def _one_profession(key: str | None = None) -> dict[str, Any]:
    known = _known()
    profession = _profession(known, key or (request.view_args or {})["key"])
    types = [each for each in known.types.values() if each.profession == profession.key]
    return {"profession": profession, "types": types}


@operations.get("/catalogue/professions/<key>")
@needs(Permission.CREDENTIALS_VERIFY)
def catalogue_profession(key: str) -> str:
    """One profession: its title, its specialties under their headings, its types."""
    return render_template("operations/catalogue_profession.html", **_one_profession(key))


@operations.post("/catalogue/professions/<key>")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/catalogue_profession.html", _one_profession)
def change_profession(key: str) -> Response:
    """Write its title anew."""
    with transaction() as session:
        service.save_profession(session, me(), key, title=load(ProfessionForm)["title"])
    flash("Changed.", "good")
    return redirect(url_for("operations.catalogue_profession", key=key), code=303)


@operations.post("/catalogue/professions/<key>/specialties")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/catalogue_profession.html", _one_profession)
def save_specialty(key: str) -> Response:
    """Add a specialty; one of the same key is mended."""
    asked = load(SpecialtyForm)
    known = _profession(_known(), key).listed
    fresh = asked["key"] not in known
    with at_field("/specialty_key"), transaction() as session:
        _save_specialty(session, key, asked, new=fresh)
    flash("Added." if fresh else "Changed.", "good")
    return redirect(url_for("operations.catalogue_profession", key=key), code=303)


def _save_specialty(session: Session, profession: str, asked: dict[str, Any], *, new: bool) -> None:
    try:
        service.save_specialty(
            session,
            me(),
            profession,
            asked["key"],
            title=asked["title"],
            heading=asked["heading"],
            nucc_codes=re.split(r"[,;\s]+", asked["nucc_codes"]),
            new=new,
        )
    except Faulty as faulty:
        moved = [
            Fault(f"/specialty_{each.pointer.strip('/')}", each.message) for each in faulty.faults
        ]
        raise Faulty(faulty.message, moved) from None


@operations.post("/catalogue/<kind>/<path:keys>/retirement")
@needs(Permission.CREDENTIALS_VERIFY)
def retire_entry(kind: str, keys: str) -> Response:
    """Stop offering an entry, or offer it again; nothing is ever deleted."""
    if kind not in {"profession", "specialty", "type"}:
        raise Missing("There is no such entry in the catalogue.")
    retired = request.form.get("retired", "yes") == "yes"
    parts = keys.split("/")
    if len(parts) != (2 if kind == "specialty" else 1):
        raise Missing("There is no such entry in the catalogue.")
    with transaction() as session:
        service.retire_entry(session, me(), kind, *parts, retired=retired)
    flash("Retired. What is stored keeps it." if retired else "Offered again.", "good")
    page = "catalogue_type" if kind == "type" else "catalogue_profession"
    return redirect(url_for(f"operations.{page}", key=parts[0]), code=303)


def _lists(kind: CredentialType | None) -> dict[str, list[dict[str, Any]]]:
    """The rows of a stored type, as the form names them."""
    if kind is None:
        return {"formats": [], "look_up": [], "checklist": [dict(each) for each in CHECKLIST]}
    return {
        "formats": [
            {
                "place": place,
                "pattern": each.pattern,
                "description": each.description,
                "example": each.example,
                "exact": "yes" if each.exact else "",
            }
            for place, each in kind.formats.items()
        ],
        "look_up": [{"place": place, "url": url} for place, url in kind.look_up.items()],
        "checklist": [
            {"key": key, "level": level, "sentence": sentence}
            for key, (level, sentence) in kind.checklist.items()
        ],
    }


def _typed_lists() -> dict[str, list[dict[str, Any]]]:
    """The rows of the form that say something; numbers as whole ones."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, parts in PARTS.items():
        rows = [
            {part: request.form.get(f"{name}.{number}.{part}", "") for part in parts}
            for number in range(ROWS_MAX)
        ]
        found[name] = [row for row in rows if row[TYPED[name]].strip()]
    for row in found["checklist"]:
        row["level"] = int(row["level"]) if row["level"] in {"2", "3", "4"} else 0
    return found


def _one_type(key: str | None = None, profession: str = "") -> dict[str, Any]:
    known = _known()
    found = key or (request.view_args or {}).get("key")
    kind = known.types.get(found) if found else None
    if found and kind is None:
        raise Missing("There is no such credential type.")
    lists = _typed_lists() if request.method == "POST" else _lists(kind)
    with transaction() as session:
        used = in_use(session, me()).get(found or "", 0)
    return {
        "kind": kind,
        "used": used,
        "profession": profession,
        "professions": [(each.key, each.title) for each in known.professions.values()],
        "lists": {name: [*rows, *({} for _ in range(SPARE_ROWS))] for name, rows in lists.items()},
        "verifiers": list(VERIFIERS.items()),
    }


@operations.get("/catalogue/types/new")
@needs(Permission.CREDENTIALS_VERIFY)
def new_type() -> str:
    """The form of a new credential type."""
    asked = request.args.get("profession", "")
    return render_template("operations/catalogue_type.html", **_one_type(profession=asked))


@operations.post("/catalogue/types/new")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/catalogue_type.html", _one_type)
def add_type() -> Response:
    """Add a credential type; people may claim it at once."""
    return _save_type(None)


@operations.get("/catalogue/types/<key>")
@needs(Permission.CREDENTIALS_VERIFY)
def catalogue_type(key: str) -> str:
    """One credential type as a form."""
    return render_template("operations/catalogue_type.html", **_one_type(key))


@operations.post("/catalogue/types/<key>")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/catalogue_type.html", _one_type)
def change_type(key: str) -> Response:
    """Change it; the key stays."""
    return _save_type(key)


def _save_type(key: str | None) -> Response:
    asked = load(TypeForm) | _typed_lists()
    typed_key = asked.pop("key").strip()
    asked["jurisdictions"] = re.split(r"[,;\s]+", asked["jurisdictions"])
    with at_field("/formats"), transaction() as session:
        row = service.save_type(session, me(), key or typed_key, new=key is None, **asked)
    flash("Kept. Forms use it from now on.", "good")
    return redirect(url_for("operations.catalogue_type", key=row.key), code=303)
