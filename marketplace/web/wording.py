"""The words of libraries, in the sentences of this house."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What marshmallow says about a field by itself; our own messages pass as they are.
SENTENCES: Mapping[str, str] = {
    "Missing data for required field.": "Fill this in.",
    "Field may not be null.": "Fill this in.",
    "Unknown field.": "This is no field here. Leave it out, or look for a slip in its name.",
    "Not a valid string.": "Write text here.",
    "Not a valid utf-8 string.": "Write text in UTF-8 here.",
    "Not a valid integer.": "Write a whole number.",
    "Not a valid number.": "Write a number.",
    "Special numeric values (nan or infinity) are not permitted.": "Write a number.",
    "Number too large.": "Write a smaller number.",
    "Not a valid boolean.": "Say true or false.",
    "Not a valid date.": "Write a date, such as 2026-11-23.",
    "Not a valid datetime.": "Write a date and a time, such as 2026-11-23T14:02:00Z.",
    "Not a valid UUID.": "This is no id of ours. Copy it whole.",
    "Not a valid list.": "Give a list.",
    "Not a valid mapping type.": "Give an object.",
    "Invalid input type.": "Give an object.",
    "Invalid type.": "Give an object.",
    "Invalid value.": "This cannot be used here.",
    "String does not match expected pattern.": "This does not have the form that is asked for.",
}
# What werkzeug refuses by itself, by HTTP status.
REFUSALS: Mapping[int, str] = {
    400: "What was sent could not be read as a form or as JSON. Load the page again and retry.",
    404: "Nothing of ours is at this address. Look for a slip in it, or go on from the start.",
    405: "This address is there, but it takes another method than the one that was used.",
    413: "What was sent is larger than this address takes. Send it in smaller parts.",
    415: "This address does not take content of this type. The documentation says which it takes.",
}
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_PROGRAM = re.compile(r"[A-Za-z][\w .-]{0,40}")


def in_house(message: str) -> str:
    """A library's message as this house says it; any other message as it is."""
    return SENTENCES.get(message, message)


def browser_name(user_agent: str | None) -> str:
    """`Firefox on Windows`, as its owner would call it; a program by the name it gives."""
    text = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    named = _PROGRAM.match(text)
    return named[0].strip() if named else "Unknown browser"
