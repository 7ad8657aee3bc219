"""A segment as it may be shown to a person: codes, counts and amounts stay, whatever may tell of a patient is masked."""

from __future__ import annotations

import re

MASK = "(masked)"
SHOWN_CHARACTERS_MAX = 20
_EVERY = frozenset(range(1, 100))
_AMOUNT = re.compile(r"-?[0-9]{0,15}(?:\.[0-9]{0,15})?")
_CODE = re.compile(r"[\x21-\x7e]{1,20}")
_ORGANIZATIONS = frozenset(["PR", "PE", "TT", "40", "41", "80", "85", "AY", "X3"])
_NAMED = {"NM1": frozenset([3, 9]), "N1": frozenset([2, 4])}
_WITH_NAMES = frozenset(["NM1", "N1", "REF", "DTP", "PER", "RDM", "SBR"])
_QUALIFIER_CHARACTERS_MAX = 3
_SUMMARY_CODES = frozenset(["404", "405"])


def _but(*numbers: int) -> frozenset[int]:
    return _EVERY - frozenset(numbers)


_SHOWN = {
    "ISA": _but(2, 4),
    "GS": _EVERY,
    "ST": _EVERY,
    "SE": _EVERY,
    "GE": _EVERY,
    "IEA": _EVERY,
    "TA1": _EVERY,
    "BPR": _but(9, 15),
    "BHT": _but(3),
    "CUR": _EVERY,
    "LX": _EVERY,
    "TS2": _EVERY,
    "TS3": _EVERY,
    "CLP": _but(1, 7),
    "CAS": _EVERY,
    "SVC": _EVERY,
    "MIA": _EVERY,
    "MOA": _EVERY,
    "LQ": _EVERY,
    "AMT": _EVERY,
    "QTY": _EVERY,
    "PLB": _EVERY,
    "DTM": frozenset([1]),
    "DTP": frozenset([1, 2]),
    "REF": frozenset([1]),
    "NM1": frozenset([1, 2, 8]),
    "N1": frozenset([1, 3]),
    "N3": frozenset[int](),
    "N4": frozenset[int](),
    "PER": frozenset([1]),
    "RDM": frozenset([1]),
    "DMG": frozenset[int](),
    "TRN": frozenset([1]),
    "HL": _EVERY,
    "PRV": frozenset([1, 2]),
    "SBR": frozenset([1, 2, 5, 9]),
    "CLM": _but(1),
    "SV1": _EVERY,
    "SV2": _EVERY,
    "SV3": _EVERY,
    "HI": frozenset[int](),
    "STC": _but(12),
    "AK1": _EVERY,
    "AK2": _EVERY,
    "IK3": _EVERY,
    "IK4": frozenset([1, 2, 3]),
    "IK5": _EVERY,
    "AK3": _EVERY,
    "AK4": frozenset([1, 2, 3]),
    "AK5": _EVERY,
    "AK9": _EVERY,
    "CTX": frozenset[int](),
}
_MONEY = {
    "BPR": frozenset([2]),
    "CLP": frozenset([3, 4, 5]),
    "CAS": frozenset([3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19]),
    "SVC": frozenset([2, 3, 5, 7]),
    "AMT": frozenset([2]),
    "QTY": frozenset([2]),
    "PLB": frozenset([4, 6, 8, 10, 12, 14]),
    "CLM": frozenset([2]),
    "SV1": frozenset([2, 4]),
    "SV2": frozenset([3, 5]),
    "SV3": frozenset([2]),
    "STC": frozenset([4, 5]),
}
_REFERENCES = {"PLB": frozenset([3, 5, 7, 9, 11, 13])}


def masked(text: str, element: str, set_type: str) -> str:
    """The segment `text` of a set of this type, masked. Where money must stand and none does, only its shape is shown."""
    tag, *values = text.split(element)
    if tag not in _SHOWN:
        return element.join([MASK, *(MASK if value else "" for value in values)])
    shown = _SHOWN[tag] | _shown_of_names(tag, values, set_type)
    parts = [tag]
    for number, value in enumerate(values, 1):
        if not value or number in shown:
            parts.append(_shown(tag, number, value))
        else:
            parts.append(MASK)
    return element.join(parts)


def _shown_of_names(tag: str, values: list[str], set_type: str) -> frozenset[int]:
    """What more may be shown because the segment names an organization, or the payment of an 835."""
    code = values[0] if values else ""
    if tag in _NAMED and code in _ORGANIZATIONS and (tag == "N1" or values[1:2] == ["2"]):
        return _NAMED[tag]
    if (tag == "TRN" and set_type == "835") or (tag == "DTM" and code in _SUMMARY_CODES):
        return _EVERY
    return frozenset()


def _shown(tag: str, number: int, value: str) -> str:
    if number in _MONEY.get(tag, ()):
        return (
            value if len(value) <= SHOWN_CHARACTERS_MAX and _AMOUNT.fullmatch(value) else f"(shaped {shape_of(value)})"
        )
    if number in _REFERENCES.get(tag, ()):
        return _reason(value)
    if tag in _WITH_NAMES:
        return value if number in _NAMED.get(tag, ()) or len(value) <= _QUALIFIER_CHARACTERS_MAX else MASK
    if tag in ("ISA", "GS", "TRN"):
        return value
    return value if not value or _CODE.fullmatch(value) else MASK


def _reason(value: str) -> str:
    """The code of a provider adjustment; its reference often holds a patient's number, so it is masked."""
    match = re.fullmatch(r"([A-Za-z0-9]{2})(?:([^A-Za-z0-9 ])(.*))?", value, re.DOTALL)
    if match is None:
        return MASK
    code, separator, reference = match.groups()
    return code + (separator or "") + (MASK if reference else "")


def shape_of(value: str) -> str:
    """The kinds of characters: 9 for a digit, A for a letter, the rest as it is; at most twenty of them."""
    letters = ("9" if each.isdigit() else "A" if each.isalpha() else each for each in value[:SHOWN_CHARACTERS_MAX])
    return "".join(letters) + ("…" if len(value) > SHOWN_CHARACTERS_MAX else "")
