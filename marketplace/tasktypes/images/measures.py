"""Boxes and points between the measures of formats: pixels, corners, per cent, parts of one.

Each pair goes there and back to the same pixels within the two decimals that are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.tasktypes.images.geometry import Box

# So many decimals that a pixel of the widest image comes back with its own two.
PLACES = 8


def corners_of(box: Sequence[float]) -> Box:
    """[x, y, width, height] to the left, top, right and bottom edge, as VOC writes them."""
    x, y, width, height = box
    return x, y, x + width, y + height


def box_of_corners(corners: Sequence[float]) -> Box:
    """Left, top, right and bottom to [x, y, width, height]."""
    left, top, right, bottom = corners
    return left, top, right - left, bottom - top


def to_percent(box: Sequence[float], width: float, height: float) -> Box:
    """Pixels to per cent of the image's sides, as Label Studio writes them."""
    x, y, across, down = box
    return (
        round(100 * x / width, PLACES),
        round(100 * y / height, PLACES),
        round(100 * across / width, PLACES),
        round(100 * down / height, PLACES),
    )


def from_percent(box: Sequence[float], width: float, height: float) -> Box:
    """Per cent of the image's sides to pixels."""
    x, y, across, down = box
    return x * width / 100, y * height / 100, across * width / 100, down * height / 100


def to_centre(box: Sequence[float], width: float, height: float) -> Box:
    """Pixels to the centre and sides as parts of one, as YOLO writes them."""
    x, y, across, down = box
    return (
        (x + across / 2) / width,
        (y + down / 2) / height,
        across / width,
        down / height,
    )


def from_centre(centre: Sequence[float], width: float, height: float) -> Box:
    """Centre and sides as parts of one to pixels."""
    x, y, across, down = centre
    return (x - across / 2) * width, (y - down / 2) * height, across * width, down * height
