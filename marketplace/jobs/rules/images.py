"""Images: what a file holds, whatever it is called; what of it is shown, and how 16 bits look.

What is shown carries no EXIF, no text and nothing behind the picture: a camera's place and a
scanner's labels stay with the lab. JPEG and PNG of 8 bits are shown pixel for pixel, TIFF and
16 bits as PNG.
"""

from __future__ import annotations

import io
import warnings
from array import array
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image, UnidentifiedImageError

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.stripping import bare_jpeg, bare_png

BYTES_MAX = 50 * 1024 * 1024
PIXELS_MAX = 50_000_000
SIDE_MAX = 50_000
NAME_MAX = 200
# The default window leaves out so many of the darkest and of the brightest pixels, of a thousand.
TAIL_OF_THOUSAND = 5
PIXELS_LOOKED_AT = 1_000_000
# Windows and levels fall on a grid of so many steps across an image's values, so that the store
# holds a bounded number of pictures.
STEPS = 64
TAKEN = "PNG, JPEG and TIFF"
_DICOM = slice(128, 132)


class ImageFormat(StrEnum):
    """What a stored image is."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"


@dataclass(frozen=True, slots=True)
class Tones:
    """The values of an image of 16 bits: the smallest, the largest, and where most of them lie."""

    low: int
    high: int
    window: int
    level: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What an image's content says. bits: of one channel, 8 or 16; tones: of 16 bits only."""

    format: ImageFormat
    width: int
    height: int
    bits: int
    tones: Tones | None


_FORMATS = {
    "PNG": ImageFormat.PNG,
    "JPEG": ImageFormat.JPEG,
    "MPO": ImageFormat.JPEG,  # A JPEG with more behind it, as telephones make; the first counts.
    "TIFF": ImageFormat.TIFF,
}


def _refusal(words: str) -> Faulty:
    return Faulty(words, [Fault("/file", words)])


def read_picture(content: bytes) -> Picture:
    """What an image holds; Faulty for anything else than one PNG, JPEG or TIFF of our sizes."""
    if len(content) > BYTES_MAX:
        raise _refusal(f"An image has at most {BYTES_MAX // 1024**2} MiB.")
    if content[_DICOM] == b"DICM":
        raise _refusal(
            "This is a DICOM file, which can name the patient. Send the picture alone, as PNG or "
            "TIFF with 8 or 16 bits."
        )
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as image:
            # What Pillow warns of, such as a picture that is suspiciously large, we measure.
            warnings.simplefilter("ignore")
            _refuse_size(image)
            bits = _bits(image)
            image.load()
            return Picture(
                format=_FORMATS[image.format or ""],
                width=image.width,
                height=image.height,
                bits=bits,
                tones=_tones(image) if bits == 16 else None,
            )
    except UnidentifiedImageError:
        raise _refusal(f"This is not an image that we read. Send {TAKEN}.") from None
    except Image.DecompressionBombError:
        raise _refusal(f"An image has at most {PIXELS_MAX // 1_000_000} million pixels.") from None
    except (OSError, ValueError, SyntaxError, EOFError) as wrong:
        # These are what Pillow raises for files that are cut short or made to harm.
        raise _refusal(f"This image is damaged: {str(wrong)[:120]}.") from None


def _refuse_size(image: Image.Image) -> None:
    if image.format not in _FORMATS:
        raise _refusal(f"This is {image.format}. Send {TAKEN}.")
    width, height = image.size
    if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX or min(width, height) < 1:
        most = PIXELS_MAX // 1_000_000
        raise _refusal(
            f"This has {width:,} by {height:,} pixels. An image has at most {most} million, and "
            f"{SIDE_MAX:,} along a side."
        )
    frames = 1 if image.format in {"JPEG", "MPO"} else getattr(image, "n_frames", 1)
    if frames > 1:
        raise _refusal(f"This file holds {frames} pages. Send each as an image of its own.")


def _bits(image: Image.Image) -> int:
    if image.mode.startswith("I;16"):
        return 16
    if image.mode in {"I", "F"}:
        tags = getattr(image, "tag_v2", {})
        # 258 is BitsPerSample. Signed values of 16 bits come as a mode of 32.
        if image.mode == "I" and tuple(tags.get(258, ())) == (16,):
            return 16
        raise _refusal("This image has 32 bits for each pixel. Send it with 8 or 16.")
    return 8


def _tones(image: Image.Image) -> Tones:
    values = array("i")
    values.frombytes(image.convert("I").tobytes())
    looked_at = sorted(values[:: max(1, len(values) // PIXELS_LOOKED_AT)])
    last = len(looked_at) - 1
    dark = looked_at[last * TAIL_OF_THOUSAND // 1_000]
    bright = looked_at[last - last * TAIL_OF_THOUSAND // 1_000]
    return Tones(
        low=min(values),
        high=max(values),
        window=max(1, bright - dark),
        level=(bright + dark) // 2,
    )


def snapped(tones: Tones, window: int | None, level: int | None) -> tuple[int, int]:
    """A window and a level on the grid of an image; its own where none is given."""
    step = max(1, (tones.high - tones.low) // STEPS)
    if window is None or level is None:
        return tones.window, tones.level
    wide = max(1, min(STEPS, round(window / step))) * step
    at = max(0, min(STEPS, round((level - tones.low) / step)))
    return wide, tones.low + at * step


def shown_picture(content: bytes, picture: Picture, window: int = 0, level: int = 0) -> bytes:
    """What browsers are given: JPEG for a JPEG, else PNG, and nothing but the picture.

    window, level: the values from level - window/2 to level + window/2 become black to white;
    of 16 bits only.
    """
    if picture.bits == 8 and picture.format is ImageFormat.JPEG:
        return bare_jpeg(content)
    if picture.bits == 8 and picture.format is ImageFormat.PNG:
        return bare_png(content)
    with Image.open(io.BytesIO(content)) as image:
        drawn = _windowed(image, window, level) if picture.bits == 16 else _plain(image)
        out = io.BytesIO()
        # A new image: what stood beside the pixels of the old one is not written.
        fresh = Image.frombytes(drawn.mode, drawn.size, drawn.tobytes())
        fresh.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _windowed(image: Image.Image, window: int, level: int) -> Image.Image:
    scale = 255 / max(1, window)
    darkest = level - window / 2
    stretched = image.convert("I").point(lambda value: value * scale + (0.5 - darkest * scale))
    return stretched.convert("L")


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in {"L", "LA", "RGB", "RGBA"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def media_type(picture_format: ImageFormat) -> str:
    """The media type of what `shown_picture` gives for an image of this format."""
    return "image/jpeg" if picture_format is ImageFormat.JPEG else "image/png"
