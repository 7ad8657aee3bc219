"""Questions that a condition cannot put into data: each has a name that rules refer to, and never fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from canonical.npi import has_valid_check_digit

from claims.domain.rules.values import Value

_MODIFIER = re.compile("[A-Z0-9]{2}")


def is_npi(value: Value) -> bool:
    """Ten digits of which the last checks the others."""
    return isinstance(value, str) and has_valid_check_digit(value)


def are_modifiers(value: Value) -> bool:
    """Each of two letters or digits (SV101-3 to -6)."""
    return isinstance(value, tuple) and all(_MODIFIER.fullmatch(each) for each in value)


PREDICATES: Mapping[str, Callable[[Value], bool]] = {"is_npi": is_npi, "are_modifiers": are_modifiers}
