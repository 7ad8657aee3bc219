"""JSON as we take it: no duplicate keys, no NaN, no float, no half or control characters, bounded in size, depth and number length."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import NoReturn

from intake.domain.refusals import Finding, InvalidMessage

BODY_BYTES_MAX = 5_000_000
DEPTH_MAX = 40
NUMBER_CHARACTERS_MAX = 40
_SURROGATE = b"\\ud"
_CONTROL_ESCAPED = re.compile(rb"\\(?:u00[01]|[bf])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_BRACKETS = bytes(set(range(256)) - set(b'{}[]"'))
_PLAIN = json.JSONEncoder(separators=(",", ":"), check_circular=False)

Json = dict[str, object]


def parse_object(raw: bytes) -> Json:
    """The object of `raw`.

    Raises:
        InvalidMessage: it breaks one of the rules; the finding names which.
    """
    if len(raw) > BODY_BYTES_MAX:
        raise _refused("too-large", f"at most {BODY_BYTES_MAX} bytes")
    try:
        content = json.loads(
            raw.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_without_duplicates,
        )
    except UnicodeDecodeError:
        raise _refused("utf-8", "the text is UTF-8") from None
    except RecursionError:
        raise _refused("too-deep", f"at most {DEPTH_MAX} levels") from None
    except json.JSONDecodeError as error:
        raise _refused("json", f"not JSON at byte {error.pos}") from None
    if not isinstance(content, dict):
        raise _refused("json-object", "the message is one JSON object")
    if not _is_shallow(raw):
        _refuse_depth(content)
    if _SURROGATE in raw.lower():
        _refuse_half_characters(content)
    if _CONTROL_ESCAPED.search(raw):
        _refuse_control_characters(content)
    return content


def written(value: object) -> str:
    """The JSON of what was parsed here, every number as it was written: 50.00 stays 50.00."""
    try:
        return _PLAIN.encode(value)
    except TypeError:  # it holds a number with a point, which the library would not write
        return _written_exactly(value)


def _written_exactly(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_written_exactly(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written_exactly, value)) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def _refused(rule: str, note: str) -> InvalidMessage:
    return InvalidMessage([Finding("body", rule, note)])


def _decimal(text: str) -> Decimal:
    if len(text) > NUMBER_CHARACTERS_MAX or "e" in text or "E" in text:
        raise _refused("number", f"numbers have at most {NUMBER_CHARACTERS_MAX} characters and no exponent")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise _refused("number", f"numbers have at most {NUMBER_CHARACTERS_MAX} characters and no exponent")
    return int(text)


def _no_constant(text: str) -> NoReturn:
    raise _refused("number", "NaN and infinities are no numbers")


def _without_duplicates(pairs: list[tuple[str, object]]) -> Json:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _refused("duplicate-key", "a key stands twice in one object")
    return content


def _is_shallow(raw: bytes) -> bool:
    """Whether JSON is clearly not too deep; False where it takes a look at what was parsed.

    Of the text its quotes and brackets are left, and of these no quotes where no text held a bracket: then brackets that hold
    nothing are taken out again and again, each time at least the deepest level, and at most two.
    """
    if b"\\" in raw:
        return False
    left = raw.translate(None, _NO_BRACKETS).replace(b'""', b"")
    if b'"' in left:
        return False
    for _ in range(DEPTH_MAX // 2 - 1):
        left = left.replace(b"{}", b"").replace(b"[]", b"")
        if not left:
            return True
    return False


def _refuse_depth(content: object) -> None:
    """Level by level; values that hold nothing are only looked at where they are the deepest."""
    level: list[object] = [content]
    for depth in range(DEPTH_MAX):
        below: list[object] = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node if type(node) is list else ())
            if type(child) is dict or type(child) is list
        ]
        if not below and (depth + 1 < DEPTH_MAX or not any(level)):
            return
        level = below
    raise _refused("too-deep", f"at most {DEPTH_MAX} levels")


def _refuse_half_characters(content: Json) -> None:
    r"""`\ud800` alone is half a character: nothing can keep or send it as text."""
    try:
        json.dumps(content, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise _refused("utf-8", "an escaped surrogate stands alone") from None


def _refuse_control_characters(content: object) -> None:
    r"""`\u0000` and its like are no text in FHIR (datatype string), and no database keeps them as text."""
    if isinstance(content, str):
        if _CONTROL.search(content):
            raise _refused("control-character", "of those below a blank only tab, line feed and carriage return")
    elif isinstance(content, dict):
        for key, value in content.items():
            _refuse_control_characters(key)
            _refuse_control_characters(value)
    elif isinstance(content, list):
        for value in content:
            _refuse_control_characters(value)
