"""Small pictures of every kind that we take."""

from __future__ import annotations

import hashlib
import io
from array import array
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from PIL import Image

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.jobs import service


def picture(
    form: str, *, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: Any
) -> bytes:
    """A picture with a slope of colours, in a format of Pillow's."""
    image = Image.new("RGB", size)
    image.putdata(
        [(x * 7 % 256, y * 11 % 256, (x + y) % 256) for y in range(size[1]) for x in range(size[0])]
    )
    out = io.BytesIO()
    image.convert(mode).save(out, form, **options)
    return out.getvalue()


def deep_tiff(*, signed: bool = False, size: tuple[int, int] = (64, 48)) -> bytes:
    """A grey TIFF of 16 bits whose values rise by 50 a column, from 1000, or -1000 if signed."""
    start = -1_000 if signed else 1_000
    values = array("h" if signed else "H", [start + 50 * x for x in range(size[0])] * size[1])
    out = io.BytesIO()
    if signed:
        # Pillow writes no signed values of 16 bits: the tag that says so is put in by hand.
        unsigned = array("H", values.tobytes())
        image = Image.frombytes("I;16", size, unsigned.tobytes())
        image.save(out, "TIFF", tiffinfo={339: 2})
    else:
        Image.frombytes("I;16", size, values.tobytes()).save(out, "TIFF")
    return out.getvalue()


SCAN = picture("PNG", size=(640, 480))
SCAN_SHA256 = hashlib.sha256(SCAN).hexdigest()


def sent(lab: Actor, job_id: UUID, payload: Mapping[str, Any], content: bytes = SCAN) -> None:
    """Send the image that an item names, if it names one; outside any transaction."""
    if isinstance(payload.get("image"), str):
        kept = service.put_image(job_id, content)
        with transaction() as session:
            service.add_image(session, lab, job_id, payload["image"], kept)
