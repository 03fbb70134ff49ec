"""What may be said of any finding on an image."""

from __future__ import annotations

CERTAINTIES = ("definite", "probable", "possible")
LATERALITIES = ("left", "right", "bilateral", "midline")
