"""Published lists: which edition counts, loading one, and what changed in each."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.specialists.queries.lists import (
    Difference,
    differences,
    edition_of,
    editions,
    standings,
)
from marketplace.specialists.rules.list_files import FILES
from marketplace.specialists.rules.lists import PublishedList, SnapshotState
from marketplace.specialists.service.lists import ListFile, begin_snapshot
from marketplace.web.forms import form_page
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.operations.hits import WORDS, screening_tabs
from marketplace.web.requests import takes_uploads
from marketplace.web.uploads import Stored, stored

PAGE = 50
# The fields of the form by list, in the order in which the files are read.
FIELDS = {PublishedList.LEIE: ("updated",), PublishedList.OFAC: ("sdn", "alt", "add")}


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = editions(session, me(), after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        facts = screening_tabs(session) | {
            "standings": standings(session, me()),
            "rows": rows,
            "names": identity.people_by_ids(
                session, {row.loaded_by for row in rows if row.loaded_by}
            ),
        }
    return facts | {
        "after": after,
        "last": rows[-1].id if len(found) > PAGE else None,
        "fields": {
            source: list(zip(names, FILES[source], strict=True)) for source, names in FIELDS.items()
        },
        "faulty_source": (request.view_args or {}).get("source"),
        **WORDS,
    }


@operations.get("/lists")
@needs(Permission.CREDENTIALS_VERIFY)
def published_lists() -> str:
    """How each list stands, the forms to load an edition, and all editions."""
    return render_template("operations/lists.html", **_facts())


@operations.post("/lists/<source>")
@takes_uploads
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/lists.html", _facts)
def load_list(source: str) -> Response:
    """Take the files of an edition; they are read in the background."""
    if source not in set(PublishedList):
        raise Missing("There is no such list.")
    one = PublishedList(source)
    sent = [request.files.get(name) for name in FIELDS[one]]
    faults = [
        Fault(f"/{name}", f"Choose the file {FILES[one][place]}.")
        for place, name in enumerate(FIELDS[one])
        if not getattr(sent[place], "filename", "")
    ]
    day = _day(request.form.get("source_on", ""), faults)
    if faults:
        raise Faulty("The edition cannot be loaded like this.", faults)
    with contextlib.ExitStack() as kept:
        files = [_kept(kept, each) for each in sent if each is not None]
        with transaction() as session:
            snapshot, is_new = begin_snapshot(
                session,
                me(),
                one,
                [file for file, _ in files],
                source_on=day,
                shrink_accepted="shrink_accepted" in request.form,
            )
            taken = set(snapshot.stored)
        for _, place in files:
            place.taken = place.reference in taken
    if not is_new:
        flash("This edition was loaded before; nothing changes.", "neutral")
    return redirect(url_for("operations.edition", snapshot_id=snapshot.id), code=303)


def _day(typed: str, faults: list[Fault]) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        faults.append(Fault("/source_on", "Write the day as 2026-11-05, or leave it empty."))
        return None


def _kept(kept: contextlib.ExitStack, upload: FileStorage) -> tuple[ListFile, Stored]:
    """The file in the store, with the fingerprint of its content alone."""
    digest = hashlib.file_digest(upload.stream, "sha256").hexdigest()  # type: ignore[arg-type]
    upload.stream.seek(0)
    place = kept.enter_context(stored(upload, "lists"))
    return ListFile(upload.filename or "", digest, place.reference), place


@operations.get("/lists/editions/<uuid:snapshot_id>")
@needs(Permission.CREDENTIALS_VERIFY)
def edition(snapshot_id: UUID) -> str:
    """One edition: how far its load is, and what it added, removed and changed."""
    kinds = {each.value: each for each in Difference}
    kind = kinds.get(request.args.get("kind", ""), Difference.ADDED)
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = edition_of(session, me(), snapshot_id)
        pairs = differences(session, me(), snapshot_id, kind, after=after, limit=PAGE + 1)
        tabs = screening_tabs(session)
        by = identity.people_by_ids(session, {found.loaded_by} if found.loaded_by else set())
    rows = pairs[:PAGE]
    return page_or_block(
        "operations/edition.html",
        "edition_progress",
        target="edition-progress",
        found=found,
        ended=found.state is not SnapshotState.LOADING,
        by=by.get(found.loaded_by) if found.loaded_by else None,
        kind=kind,
        kinds=[(each, each.value.title(), getattr(found, each.value)) for each in Difference],
        rows=rows,
        after=after,
        last=rows[-1][0].id if len(pairs) > PAGE else None,
        **tabs,
        **WORDS,
    )
