"""Keys that a person has moved: default key to the key that does its work now."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping

from marketplace.errors import Fault, Faulty

# Places on the keyboard as a US one labels them; what closes, submits and searches stays put.
MOVABLE: Collection[str] = (*string.ascii_lowercase, *string.digits, *"[];',.-=`\\")


def checked(moved: Mapping[str, str], used: Mapping[str, Collection[str]]) -> dict[str, str]:
    """The moves that move something; Faulty, by default key, where two would share one key.

    used: for each kind of task the default keys that its page has.
    """
    kept = {key: place for key, place in moved.items() if place and place != key}
    faults = [
        Fault(f"/keys/{key}", "Choose a letter, a digit or one of [ ] ; ' , . - = ` \\.")
        for key, place in kept.items()
        if key not in MOVABLE or place not in MOVABLE
    ]
    for kind, keys in used.items():
        faults += _shared(kept, kind, keys)
    if faults:
        raise Faulty("Two things cannot share a key.", list(dict.fromkeys(faults)))
    return kept


def _shared(kept: Mapping[str, str], kind: str, keys: Collection[str]) -> list[Fault]:
    at: dict[str, str] = {}
    for key in sorted(keys, key=lambda one: one in kept):
        other = at.setdefault(kept.get(key, key), key)
        if other != key:
            return [
                Fault(
                    f"/keys/{key}",
                    f"In tasks of the kind “{kind}”, {kept[key].upper()} does what "
                    f"{other.upper()} did. Move that one too.",
                )
            ]
    return []
