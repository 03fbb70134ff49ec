"""Images: told by what they hold, shown without what stands beside the picture."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import images as rules
from marketplace.jobs.rules.images import ImageFormat, read_picture, shown_picture
from marketplace.money import Money
from tests.make import identity
from tests.make import jobs as make
from tests.make.images import deep_tiff, picture


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab."""
    return identity.lab_owner(session)


@pytest.fixture
def job(session: Session, lab: Actor) -> Job:
    """A draft about images."""
    return service.create_job(
        session,
        lab,
        task_type="regions",
        title="Cells",
        instructions_md="Mark every cell.",
        pay=Money(2_00, "USD"),
        template={"labels": [{"key": "rbc", "title": "Red cell"}]},
    )


def refused(content: bytes) -> str:
    with pytest.raises(Faulty) as wrong:
        read_picture(content)
    assert ["/file"] == [fault.pointer for fault in wrong.value.faults]
    return wrong.value.message


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_an_image_is_told_by_its_content(form: str) -> None:
    found = read_picture(picture(form, size=(30, 20)))

    assert (30, 20, 8, None) == (found.width, found.height, found.bits, found.tones)
    assert ImageFormat(form.lower()) is found.format


def test_16_bits_are_known_with_their_values() -> None:
    found = read_picture(deep_tiff())

    assert 16 == found.bits
    assert found.tones is not None
    assert (1_000, 4_150) == (found.tones.low, found.tones.high)
    assert 2_500 < found.tones.level < 2_700
    assert 3_000 < found.tones.window <= 3_150


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"\0" * 128 + b"DICM" + b"\0" * 60, "DICOM file, which can name the patient"),
        (picture("GIF"), "This is GIF"),
        (picture("PNG")[:60], "damaged"),
        (picture("JPEG", size=(400, 400))[:1_500], "damaged"),
    ],
)
def test_what_is_no_image_of_ours_is_refused_with_the_reason(content: bytes, words: str) -> None:
    assert words in refused(content)


def test_a_bomb_is_refused_by_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    large, bomb = io.BytesIO(), io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(large, "PNG")
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    long = picture("PNG", size=(50_001, 1))

    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("It was unpacked."))

    assert "9,000 by 9,000 pixels" in refused(large.getvalue())
    assert "at most 50 million" in refused(bomb.getvalue())
    assert "50,000 along a side" in refused(long)


def test_pages_are_refused_rather_than_lost() -> None:
    out = io.BytesIO()
    first = Image.new("L", (5, 5))
    first.save(out, "TIFF", save_all=True, append_images=[Image.new("L", (5, 5), 9)])

    assert "2 pages" in refused(out.getvalue())


def test_32_bits_are_refused() -> None:
    out = io.BytesIO()
    Image.new("F", (5, 5)).save(out, "TIFF")

    assert "32 bits" in refused(out.getvalue())


def test_a_jpeg_is_shown_without_its_camera_and_pixel_for_pixel() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera of Dr. Doe", 6
    content = picture("JPEG", exif=exif, comment=b"ward 7") + b"appended secrets"

    shown = shown_picture(content, read_picture(content))

    assert b"Dr. Doe" in content
    for secret in (b"Dr. Doe", b"ward 7", b"secrets", b"Exif"):
        assert secret not in shown
    assert opened(content).tobytes() == opened(shown).tobytes()
    assert {} == dict(opened(shown).getexif())


def test_a_progressive_jpeg_with_restarts_stays_whole() -> None:
    content = picture("JPEG", size=(300, 200), progressive=True, restart_marker_rows=1)

    shown = shown_picture(content, read_picture(content))

    assert opened(content).tobytes() == opened(shown).tobytes()


def test_a_png_is_shown_without_its_texts() -> None:
    texts = PngInfo()
    texts.add_text("Patient", "Jane Doe")
    texts.add_itxt("Note", "Jane Doe")
    content = picture("PNG", pnginfo=texts, mode="P") + b"Jane Doe"

    shown = shown_picture(content, read_picture(content))

    assert b"Jane Doe" in content
    assert b"Jane Doe" not in shown
    assert opened(content).convert("RGB").tobytes() == opened(shown).convert("RGB").tobytes()


def test_a_tiff_is_shown_as_png() -> None:
    content = picture("TIFF", compression="tiff_lzw", description="Jane Doe")

    shown = shown_picture(content, read_picture(content))

    assert "PNG" == opened(shown).format
    assert b"Jane Doe" not in shown
    assert opened(content).tobytes() == opened(shown).tobytes()


def test_a_window_spreads_its_values_from_black_to_white() -> None:
    content = deep_tiff()
    found = read_picture(content)

    narrow = opened(shown_picture(content, found, window=100, level=2_050))
    wide = opened(shown_picture(content, found, window=3_150, level=2_575))

    across = [narrow.getpixel((x, 0)) for x in (0, 20, 21, 22, 23, 63)]
    assert [0, 0, 128, 255, 255, 255] == across
    assert (0, 255) == (wide.getpixel((0, 0)), wide.getpixel((63, 0)))
    assert 120 < int(str(wide.getpixel((31, 0)))) < 132


def test_signed_values_of_16_bits_are_shown_too() -> None:
    found = read_picture(deep_tiff(signed=True))

    assert found.tones is not None
    assert (-1_000, 2_150) == (found.tones.low, found.tones.high)
    shown = shown_picture(deep_tiff(signed=True), found, window=3_150, level=575)
    assert (0, 255) == (opened(shown).getpixel((0, 0)), opened(shown).getpixel((63, 0)))


def test_windows_fall_on_a_grid_so_that_the_store_is_bounded() -> None:
    tones = rules.Tones(low=-1_000, high=2_150, window=3_000, level=575)

    asked = {
        rules.snapped(tones, window, level)
        for window in range(-50, 70_000, 7)
        for level in (-70_000, 0, 575, 70_000)
    }

    assert len(asked) <= 4 * rules.STEPS
    assert (3_000, 575) == rules.snapped(tones, None, 9)


# --- in a job ------------------------------------------------------------------------------------


def test_an_image_is_named_once_and_the_same_again_adds_nothing(
    session: Session, lab: Actor, job: Job
) -> None:
    kept = service.put_image(job.id, picture("PNG"))

    image, added = service.add_image(session, lab, job.id, "left\\scan.png", kept)
    again, more = service.add_image(session, lab, job.id, "left/scan.png", kept)

    assert (True, False) == (added, more)
    assert image is again
    assert "left/scan.png" == image.name
    assert image.facts == {"width": 8, "height": 6, "sha256": kept.sha256.hex()}
    other = service.put_image(job.id, picture("PNG", size=(9, 9)))
    with pytest.raises(Conflict, match="that one is kept"):
        service.add_image(session, lab, job.id, "left/scan.png", other)
    assert picture("PNG") == service.original_image(image)


def test_images_belong_to_their_lab(session: Session, lab: Actor, job: Job) -> None:
    stranger = identity.lab_owner(session)
    kept = service.put_image(job.id, picture("PNG"))
    service.add_image(session, lab, job.id, "a.png", kept)

    with pytest.raises(Missing):
        service.add_image(session, stranger, job.id, "b.png", kept)
    with pytest.raises(Missing):
        queries.image_of(session, stranger, job.id, "a.png")
    with pytest.raises(Denied):
        service.add_image(session, identity.specialist(session), job.id, "b.png", kept)


@pytest.mark.parametrize("name", ["/a.png", "../a.png", "a/../../b", "", ".", "a\0b", "x" * 201])
def test_names_lead_nowhere_else(name: str) -> None:
    with pytest.raises(Faulty):
        service.image_name(name)


def test_what_was_drawn_once_is_kept(session: Session, lab: Actor, job: Job) -> None:
    kept = service.put_image(job.id, deep_tiff())
    image, _ = service.add_image(session, lab, job.id, "deep.tif", kept)

    first = service.shown_image(image, 500, 2_000)
    second = service.shown_image(image, 501, 2_001)

    assert "image/png" == first.media_type
    assert first == second
    assert first != service.shown_image(image)


def test_missing_images_and_wrong_sizes_keep_a_job_from_being_published(
    session: Session, lab: Actor, job: Job
) -> None:
    rows: list[dict[str, Any]] = [
        {"image": "there.png"},
        {"image": "there.png", "width": 8, "height": 6},
        {"image": "there.png", "width": 9, "height": 6},
        {"image": "gone.png"},
    ]
    lines = [make.line(f"i{number}", row) for number, row in enumerate(rows)]
    assert 4 == service.add_items(session, lab, job.id, lines).accepted
    kept = service.put_image(job.id, picture("PNG"))
    service.add_image(session, lab, job.id, "there.png", kept)

    messages = [fault.message for fault in queries.image_faults(session, job)]

    assert [
        "Item i2: “there.png” has 8 by 6 pixels, not what the item says.",
        "Item i3: the image “gone.png” is not in. Send it under this name.",
    ] == messages
    assert {"image": "there.png", **queries.named_image(session, job.id, "there.png").facts} == (
        queries.with_image(session, job, rows[0])
    )
