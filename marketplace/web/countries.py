"""Countries by name, for forms and for documents."""

from __future__ import annotations

import functools

from babel import Locale

LOCALE = "en"
# Groups of countries and private codes that stand among the territories.
NOT_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


@functools.cache
def countries() -> tuple[tuple[str, str], ...]:
    """Codes of ISO 3166 with their names, in the order of the names."""
    known = Locale.parse(LOCALE).territories
    listed = [
        (code, str(name))
        for code, name in known.items()
        if len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES
    ]
    return tuple(sorted(listed, key=lambda each: each[1]))


def country_name(code: str) -> str:
    """A country's name; an unknown code is itself, none is empty."""
    return str(Locale.parse(LOCALE).territories.get(code, code)) if code else ""
