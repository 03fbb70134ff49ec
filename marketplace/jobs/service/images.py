"""Images: checked by what they hold, stored under their own hash, named once in a job.

The store is used outside any transaction: `put_image` first, then `add_image`. A file that no row
came to name lies there under its hash, harmless, until the job's folder goes.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, storage
from marketplace.actor import Actor
from marketplace.db import outside_transaction
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.jobs.models import ItemImage, Job
from marketplace.jobs.rules.images import (
    BYTES_MAX,
    NAME_MAX,
    Picture,
    media_type,
    read_picture,
    shown_picture,
    snapped,
)
from marketplace.jobs.service.items import refuse_closed
from marketplace.jobs.service.states import locked

FOLDER = "images"
READ_MAX = BYTES_MAX + 1
_NAME = re.compile(r"(?![/.])(?!.*(^|/)\.\.?(/|$))[^\\\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class KeptImage:
    """An image in the store that no row names yet. sha256: of the file as it was sent."""

    job_id: UUID
    sha256: bytes
    size_bytes: int
    picture: Picture


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture for browsers."""

    content: bytes
    media_type: str


def image_name(name: str) -> str:
    """The name of an image, if it is plain; folders are told by /. Faulty for others."""
    plain = name.strip().replace("\\", "/")
    if len(plain) > NAME_MAX or not _NAME.fullmatch(plain):
        words = f"Name an image in at most {NAME_MAX} ordinary characters, such as scan-01.png."
        raise Faulty(words, [Fault("/file", words)])
    return plain


@outside_transaction
def put_image(job_id: UUID, content: bytes) -> KeptImage:
    """Check an image by its content and store it; Faulty for what is no image that we take."""
    picture = read_picture(content)
    digest = hashlib.sha256(content)
    reference = f"{FOLDER}/{job_id}/{digest.hexdigest()}"
    storage.current().put(reference, io.BytesIO(content))
    return KeptImage(job_id, digest.digest(), len(content), picture)


def add_image(
    session: Session, actor: Actor, job_id: UUID, name: str, kept: KeptImage
) -> tuple[ItemImage, bool]:
    """Name a stored image in its job; False where it stood there already.

    Raises Conflict for another image under the same name, or for a closed job.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    image, added = name_image(session, job, name, kept)
    if added:
        audit.record(session, actor, "added image", job.id, sha256=image.sha256.hex())
    return image, added


def name_image(session: Session, job: Job, name: str, kept: KeptImage) -> tuple[ItemImage, bool]:
    """As `add_image`, for an import, which holds the job already and is audited as a whole."""
    if kept.job_id != job.id:
        raise ValueError("This image was stored for another job.")
    refuse_closed(job)
    plain, picture, tones = image_name(name), kept.picture, kept.picture.tones
    made = session.scalar(
        insert(ItemImage)
        .values(
            job_id=job.id,
            name=plain,
            sha256=kept.sha256,
            width=picture.width,
            height=picture.height,
            bits=picture.bits,
            format=picture.format,
            size_bytes=kept.size_bytes,
            low=tones.low if tones else None,
            high=tones.high if tones else None,
            window=tones.window if tones else None,
            level=tones.level if tones else None,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(ItemImage)
    )
    if made is not None:
        return made, True
    former = session.scalars(
        select(ItemImage).where(ItemImage.job_id == job.id, ItemImage.name == plain)
    ).one()
    if former.sha256 != kept.sha256:
        raise Conflict(f"Another image is called “{plain}”; that one is kept. Use another name.")
    return former, False


@outside_transaction
def shown_image(image: ItemImage, window: int | None = None, level: int | None = None) -> Shown:
    """The picture of an image for browsers, from the store or drawn and stored now.

    window, level: of an image of 16 bits; both or neither.
    """
    tones = image.tones
    wide, at = snapped(tones, window, level) if tones else (0, 0)
    digest = image.sha256.hex()
    held = storage.current()
    original = f"{FOLDER}/{image.job_id}/{digest}"
    # A level may be below nothing, and references hold no sign at the front of a part.
    drawn = f"{original}.w{wide}.l{at}" if tones else f"{original}.shown"
    try:
        with held.open(drawn) as stream:
            return Shown(stream.read(), media_type(image.format))
    except Missing:
        pass
    with held.open(original) as stream:
        content = stream.read()
    picture = Picture(image.format, image.width, image.height, image.bits, tones)
    made = shown_picture(content, picture, wide, at)
    held.put(drawn, io.BytesIO(made))
    return Shown(made, media_type(image.format))


@outside_transaction
def original_image(image: ItemImage) -> bytes:
    """The file as it was sent, for the lab and for exports."""
    with storage.current().open(f"{FOLDER}/{image.job_id}/{image.sha256.hex()}") as stream:
        return stream.read()
