"""Images over HTTP: taken one by one from a form, and shown to who may see the item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request
from werkzeug.datastructures import FileStorage

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, Refused
from marketplace.jobs import queries, service
from marketplace.jobs.models import ItemImage
from marketplace.jobs.service.images import READ_MAX

FILES_MAX = 200
YEAR_SECONDS = 31_536_000
FIELD = "file"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one sent image. state: added, duplicate or refused, then with the reason."""

    name: str
    state: str
    message: str | None = None
    image: ItemImage | None = None


def sent_images() -> list[FileStorage]:
    """The form's images; Faulty where there are none, or too many at once."""
    sent = [each for each in request.files.getlist(FIELD) if each.filename]
    if not sent:
        raise Faulty("There is no image.", [Fault("/file", "Choose PNG, JPEG or TIFF files.")])
    if len(sent) > FILES_MAX:
        words = f"Send at most {FILES_MAX} images at once, or a zip with the items."
        raise Faulty(words, [Fault("/file", words)])
    return sent


def take_images(actor: Actor, job_id: UUID, sent: Iterable[FileStorage]) -> list[Taken]:
    """Store each image and name it in the job; one that cannot be taken never stops the others."""
    with transaction() as session:
        queries.job_of(session, actor, job_id)  # Nobody stores files in another's job.
    return [_taken(actor, job_id, each) for each in sent]


def _taken(actor: Actor, job_id: UUID, sent: FileStorage) -> Taken:
    name = sent.filename or ""
    try:
        name = service.image_name(name)
        kept = service.put_image(job_id, sent.stream.read(READ_MAX))
        with transaction() as session:
            image, added = service.add_image(session, actor, job_id, name, kept)
    except Refused as refused:
        return Taken(name, "refused", refused.message)
    return Taken(image.name, "added" if added else "duplicate", image=image)


def image_answer(image: ItemImage) -> Response:
    """The picture, drawn by the query's `w` and `l` where it has 16 bits.

    It is kept by this browser alone, for ever where the address names the content.
    """
    window, level = request.args.get("w", type=int), request.args.get("l", type=int)
    shown = service.shown_image(image, window, level)
    answer = Response(shown.content, mimetype=shown.media_type)
    digest = image.sha256.hex()
    if request.args.get("v") == digest[:12]:
        answer.headers["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
    else:
        answer.headers["Cache-Control"] = "private, no-cache"
    answer.set_etag(f"{digest}-{window or 0}-{level or 0}")
    answer.make_conditional(request)
    return answer
