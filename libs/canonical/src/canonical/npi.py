"""National Provider Identifiers."""

from __future__ import annotations

import re

_NPI = re.compile("[0-9]{10}")
_CARD_PREFIX = "80840"


def has_valid_check_digit(npi: str) -> bool:
    """Ten ASCII digits whose last is the Luhn check digit over the prefix 80840 and the first nine.

    Source: 45 CFR 162.406; ISO/IEC 7812-1 annex B.
    """
    if _NPI.fullmatch(npi) is None:
        return False
    total = 0
    for place, letter in enumerate(reversed(_CARD_PREFIX + npi)):
        digit = int(letter)
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0
