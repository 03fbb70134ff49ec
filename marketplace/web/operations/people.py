"""People: found by name or address, and what operations may see of one."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.specialists import queries
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.operations.credentials import words
from marketplace.web.operations.erasure import erasure_facts

PAGE = 50
SEARCH_MAX = 200


@operations.get("/people")
@needs(Permission.PEOPLE_VIEW)
def people() -> str:
    """People whose name or address contains what is looked for; all where nothing is."""
    # PostgreSQL has no NUL in texts, so nobody's name contains one.
    search = request.args.get("q", "").replace("\0", "").strip()[:SEARCH_MAX]
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = identity.people(session, me(), search=search, after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    last = rows[-1].person_id if len(found) > PAGE else None
    return render_template(
        "operations/people.html", rows=rows, search=search, after=after, last=last
    )


@operations.get("/people/<uuid:person_id>")
@needs(Permission.PEOPLE_VIEW)
def person(person_id: UUID) -> str:
    """One person: profile and credentials."""
    with transaction() as session:
        name = identity.people_by_ids(session, [person_id]).get(person_id)
        if name is None:
            raise Missing("There is no such person.")
        claims = queries.credentials_of(session, me(), person_id)
        profile = queries.profile_of(session, me(), person_id)
        known = queries.catalogue(session)
        erasure = erasure_facts(session, person_id)
    return render_template(
        "operations/person.html",
        name=name,
        person_id=person_id,
        claims=claims,
        profile=profile,
        **erasure,
        **words(known),
    )
