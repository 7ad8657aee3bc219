"""Business Central's words: what its refusals mean, which journal a document has, and codes in capitals."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from canonical.codes import Dimension

from ledger_adapter.application.ports import RefusalKind, Refused

KEY_EXISTS = "Internal_EntityWithSameKeyExists"
_CODE_LETTERS = 9
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BY_WORDS = (
    (re.compile(r"not within your range of allowed posting dates", re.I), RefusalKind.PERIOD_CLOSED),
    (
        re.compile(
            r"out of balance|must have a value|select a dimension value|does not match to a|cannot be found in the related"
            r" table|length of the string",
            re.I,
        ),
        RefusalKind.INVALID,
    ),
)
_NOTHING_TO_POST = re.compile(r"nothing to post", re.I)


def journal_code(number: str) -> str:
    """The code of the one journal that a document has: ten letters, always the same ones for a number.

    Letters alone, for a journal whose code holds a number is renamed when it is posted.
    """
    rest = int.from_bytes(hashlib.sha256(number.encode()).digest()[:8])
    letters = ""
    for _ in range(_CODE_LETTERS):
        rest, place = divmod(rest, len(_ALPHABET))
        letters += _ALPHABET[place]
    return f"T{letters}"


def error_in(body: Any) -> tuple[str, str]:
    """The code and the words of an error; empty where it is not in the form of OData."""
    try:
        return str(body["error"]["code"]), str(body["error"]["message"])
    except (KeyError, TypeError):
        return "", ""


def is_nothing_to_post(body: Any) -> bool:
    """Whether a journal was found empty when it was to be posted."""
    return bool(_NOTHING_TO_POST.search(error_in(body)[1]))


def refusal_in(status: int, body: Any) -> Refused:
    """What a refusal means, by its words, which we ask for in English; what nobody has classified is not tried again."""
    code, words = error_in(body)
    if not code:
        return Refused(RefusalKind.UNCLASSIFIED, f"HTTP {status}")
    kind = next((kind for pattern, kind in _BY_WORDS if pattern.search(words)), RefusalKind.UNCLASSIFIED)
    return Refused(kind, f"{code}: {words}"[:200])


def value_at(dimension: Dimension, value: str) -> str:
    """A value of ours as Business Central keeps it: a code in capitals. Our payer classes are small letters."""
    return value.upper() if dimension is Dimension.PAYER_CLASS else value


def our_value(dimension: Dimension, value: str) -> str:
    return value.lower() if dimension is Dimension.PAYER_CLASS else value


def values_in(row: Mapping[str, Any]) -> dict[str, str]:
    """The dimension values of a line or an entry, by the dimension's code."""
    return {str(each["code"]): str(each["valueCode"]) for each in row.get("dimensionSetLines", ())}


def any_of(field: str, values: object) -> str:
    """A filter for entities whose field has one of these values."""
    assert isinstance(values, list | tuple | set | frozenset), "texts to be listed"
    return " or ".join(f"{field} eq '{str(value).replace(chr(39), chr(39) * 2)}'" for value in sorted(values))
