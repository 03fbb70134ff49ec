"""Check digits of numbers that name people or their accounts."""

from __future__ import annotations

NPI_PREFIX = "80840"  # The issuer of health cards in the United States, ISO 7812.
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21, "CY": 28,
    "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "KW": 30, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "QA": 29,
    "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_VERHOEFF_TABLE = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6), (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4), (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_VERHOEFF_TURNS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2), (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


def luhn(digits: str) -> bool:
    """Whether the last digit follows from the others (ISO 7812-1), as for cards."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def npi(digits: str) -> bool:
    """A number of a health care provider in the United States, with its check digit."""
    return len(digits) == 10 and digits[0] in "12" and luhn(NPI_PREFIX + digits)


def nhs(digits: str) -> bool:
    """An NHS number of England, Wales and the Isle of Man: modulo 11."""
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)
    )
    return (11 - total % 11) % 11 == int(digits[9])


def ssn(digits: str) -> bool:
    """A social security number that could have been given out in the United States."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    given = area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"
    return len(digits) == 9 and given


def card(digits: str) -> bool:
    """The number of a payment card of a large scheme."""
    known = digits[:1] in {"4", "5"} or digits[:2] in {"34", "37", "36", "62", "65"}
    known = known or "2221" <= digits[:4] <= "2720" or digits[:4] == "6011"
    return 13 <= len(digits) <= 19 and known and len(set(digits)) > 1 and luhn(digits)


def iban(text: str) -> bool:
    """An account number of ISO 13616: the country's length, and modulo 97."""
    bare = text.replace(" ", "").upper()
    if len(bare) != IBAN_LENGTHS.get(bare[:2]) or not bare.isalnum() or not bare.isascii():
        return False
    turned = bare[4:] + bare[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def aadhaar(digits: str) -> bool:
    """An Aadhaar number of India: Verhoeff's check digit."""
    if len(digits) != 12 or digits[0] in "01":
        return False
    check = 0
    for at, digit in enumerate(reversed(digits)):
        check = _VERHOEFF_TABLE[check][_VERHOEFF_TURNS[at % 8][int(digit)]]
    return check == 0
