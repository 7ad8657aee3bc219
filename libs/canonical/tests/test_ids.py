"""Ids follow from causes, the same in every language that knows UUID version 5."""

from __future__ import annotations

from uuid import UUID, uuid5

import pytest
from canonical.ids import NAMESPACE, derive

PARTS: list[tuple[tuple[object, ...], str]] = [
    ((), "kind"),
    (("a", "bc"), "kind|1:a|2:bc"),
    (("ab", "c"), "kind|2:ab|1:c"),
    ((UUID(int=7), 12, ""), "kind|36:00000000-0000-0000-0000-000000000007|2:12|0:"),
    (("größer", None), "kind|6:größer|4:None"),
]


@pytest.mark.parametrize(("parts", "name"), PARTS)
def test_an_id_is_version_5_of_its_cause_with_the_length_before_each_part(parts: tuple[object, ...], name: str) -> None:
    assert derive("kind", *parts) == uuid5(NAMESPACE, name)


def test_an_id_never_changes() -> None:
    assert derive("claim", "x", 1) == UUID("e2b846a5-5a25-5c15-a9c8-cf0d7b1aab66")


def test_other_parts_give_another_id() -> None:
    assert derive("kind", "a", "bc") != derive("kind", "ab", "c")
