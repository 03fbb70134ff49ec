"""Practice films: schematic chests of 16 bits, drawn from a few numbers, the same each time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageMath

WIDTH, HEIGHT = 640, 720
# Values of the film for each of the 255 steps of a layer: bone and body are bright, air is dark.
AIR = 900
BODY, LUNG, HEART, SPINE, RIB, LINE, GRAIN = 120, -84, 34, 30, 17, 22, 7
RIBS = range(8)


def film(told: Mapping[str, Any]) -> bytes:
    """A TIFF. told: seed; nodules as [x, y, radius, strength], strength as the weights above;
    line, corners from where it enters to its tip, or none."""
    layers = [
        (_ellipses([(20, 30, 620, 980), (-30, 30, 670, 620)], 14), BODY),
        (_ellipses([(70, 90, 300, 600), (340, 90, 570, 600)], 12), LUNG),
        (_ellipses([(255, 330, 455, 600)], 16), HEART),
        (_spine(), SPINE),
        (_ribs(), RIB),
        (_line(told.get("line", ())), LINE),
        (_grain(told["seed"]), GRAIN),
    ]
    for x, y, radius, strength in told["nodules"]:
        box = (x - radius, y - radius, x + radius, y + radius)
        layers.append((_ellipses([box], max(1, radius // 6)), strength))
    made = Image.new("I", (WIDTH, HEIGHT), AIR)
    for layer, weight in layers:
        made = ImageMath.lambda_eval(
            lambda given: given["film"] + given["layer"] * given["weight"],
            film=made,
            layer=layer.convert("I"),
            weight=weight,
        )
    out = io.BytesIO()
    made.convert("I;16").save(out, "TIFF")
    return out.getvalue()


def _blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    layer = Image.new("L", (WIDTH, HEIGHT))
    return layer, ImageDraw.Draw(layer)


def _ellipses(boxes: Iterable[tuple[float, float, float, float]], blur: float) -> Image.Image:
    layer, pen = _blank()
    for box in boxes:
        pen.ellipse(box, fill=255)
    return layer.filter(ImageFilter.GaussianBlur(blur))


def _spine() -> Image.Image:
    layer, pen = _blank()
    for top in range(40, HEIGHT, 46):
        pen.rounded_rectangle((292, top, 348, top + 38), 10, fill=255)
    pen.rectangle((300, 0, 340, HEIGHT), fill=200)
    return layer.filter(ImageFilter.GaussianBlur(7))


def _ribs() -> Image.Image:
    """Arcs from the spine outwards and down, and the two collar bones."""
    layer, pen = _blank()
    for number in RIBS:
        top = 70 + 58 * number
        pen.arc((40, top, 320, top + 210), 180, 290, fill=255, width=15)
        pen.arc((320, top, 600, top + 210), 250, 360, fill=255, width=15)
    pen.line((300, 120, 90, 78), fill=255, width=17)
    pen.line((340, 120, 550, 78), fill=255, width=17)
    return layer.filter(ImageFilter.GaussianBlur(3))


def _line(corners: Iterable[Iterable[float]]) -> Image.Image:
    layer, pen = _blank()
    pen.line([(x, y) for x, y in corners], fill=255, width=4, joint="curve")
    return layer.filter(ImageFilter.GaussianBlur(0.8))


def _grain(seed: int) -> Image.Image:
    noise = Random(seed).randbytes(WIDTH * HEIGHT)
    layer = Image.frombytes("L", (WIDTH, HEIGHT), noise)
    return layer.filter(ImageFilter.GaussianBlur(0.7))
