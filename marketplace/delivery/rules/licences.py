"""Under what licence a lab gives its data on, as the Hugging Face Hub and Croissant name it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Licence(StrEnum):
    """The Hub's identifiers; `unknown` where the lab has not said."""

    UNKNOWN = "unknown"
    INTERNAL = "internal"
    CC0 = "cc0-1.0"
    CC_BY = "cc-by-4.0"
    CC_BY_SA = "cc-by-sa-4.0"
    CC_BY_NC = "cc-by-nc-4.0"
    ODC_BY = "odc-by"
    APACHE = "apache-2.0"
    MIT = "mit"
    OTHER = "other"


LICENCE_LABELS: Mapping[Licence, str] = {
    Licence.UNKNOWN: "Not said yet",
    Licence.INTERNAL: "None: for use inside the lab only",
    Licence.CC0: "CC0 1.0, no rights reserved",
    Licence.CC_BY: "CC BY 4.0, with attribution",
    Licence.CC_BY_SA: "CC BY-SA 4.0, with attribution, shared alike",
    Licence.CC_BY_NC: "CC BY-NC 4.0, with attribution, not commercially",
    Licence.ODC_BY: "ODC-By 1.0, with attribution, for databases",
    Licence.APACHE: "Apache 2.0",
    Licence.MIT: "MIT",
    Licence.OTHER: "Another one, named below",
}
LINKS: Mapping[Licence, str] = {
    Licence.CC0: "https://creativecommons.org/publicdomain/zero/1.0/",
    Licence.CC_BY: "https://creativecommons.org/licenses/by/4.0/",
    Licence.CC_BY_SA: "https://creativecommons.org/licenses/by-sa/4.0/",
    Licence.CC_BY_NC: "https://creativecommons.org/licenses/by-nc/4.0/",
    Licence.ODC_BY: "https://opendatacommons.org/licenses/by/1-0/",
    Licence.APACHE: "https://www.apache.org/licenses/LICENSE-2.0",
    Licence.MIT: "https://opensource.org/license/mit",
}


def hub_licence(licence: Licence, words: str) -> dict[str, str]:
    """The lines of a card's head that name a licence as the Hub wants it."""
    if licence is Licence.INTERNAL:
        return {"license": "other", "license_name": "internal-use-only"}
    if licence is Licence.OTHER:
        name = "-".join("".join(c if c.isalnum() else " " for c in words.lower()).split())
        return {"license": "other", "license_name": name or "other"}
    return {"license": licence.value}


def licence_words(licence: Licence, words: str) -> str:
    """The licence in a sentence's middle."""
    return words if licence is Licence.OTHER else LICENCE_LABELS[licence]
