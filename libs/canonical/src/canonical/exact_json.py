"""JSON whose numbers are exact both ways: what has a fraction is a Decimal, never a binary approximation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


def write_exact(value: object) -> str:
    """JSON text of mappings, sequences, texts, integers, booleans, None, and Decimals as plain numbers."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{write_exact(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(write_exact(each) for each in value) + "]"
    return json.dumps(value)


def read_exact(content: str | bytes) -> Any:
    """What JSON holds, its fractions as Decimals.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(content, parse_float=Decimal)
