"""How deep JSON may be is told of its brackets alone only where that is certain; and what is written is what was read."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake.adapters.fhir.strict_json import DEPTH_MAX, parse_object, written
from intake.domain.refusals import InvalidMessage

TEXTS = st.text(st.sampled_from('a{}[]"\\ é'), max_size=6)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=20,
)


def within(value: object, levels: int, *, as_list: bool) -> object:
    for _ in range(levels):
        value = [value] if as_list else {"a": value}
    return value


def depth_of(value: object) -> int:
    """Levels of objects, lists, and the values in them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth_of, inner), default=0)


@given(VALUES, st.integers(0, DEPTH_MAX + 2), st.booleans(), st.booleans())
def test_no_text_hides_how_deep_json_is(value: object, levels: int, as_list: bool, is_ascii: bool) -> None:
    content = {"b": within(value, levels, as_list=as_list)}
    raw = json.dumps(content, ensure_ascii=is_ascii).encode()
    if depth_of(content) > DEPTH_MAX:
        with pytest.raises(InvalidMessage, match="too-deep"):
            parse_object(raw)
    else:
        assert parse_object(raw) == content


@pytest.mark.parametrize("text", ["]" * 60, "}" * 60, "[]" * 60, "{" * 60])
def test_brackets_in_texts_are_no_levels(text: str) -> None:
    deep = within(text, DEPTH_MAX, as_list=True)
    assert parse_object(json.dumps({"a": text}).encode()) == {"a": text}
    with pytest.raises(InvalidMessage, match="too-deep"):
        parse_object(json.dumps({"a": deep, text: text}).encode())


def test_every_number_is_written_as_it_came() -> None:
    raw = '{"a":50.00,"b":[1,"é",null,true],"c":{"d":0.10}}'
    assert written(parse_object(raw.encode())) == raw.replace("é", "\\u00e9")
    assert written({"a": [1, "é"], "b": {}}) == '{"a":[1,"\\u00e9"],"b":{}}'
    assert written([Decimal("1.0")]) == "[1.0]"
