"""Models made without validation are the same as validated ones."""

from __future__ import annotations

import copy
import pickle

import pytest
from canonical.codes import AdjustmentGroup
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from pydantic import ValidationError

FIELDS = {"group": AdjustmentGroup.CONTRACTUAL, "reason": "45", "amount": Money(1230)}


def test_a_trusted_model_is_the_validated_one() -> None:
    trusted, validated = ClaimAdjustment.trusted(**FIELDS), ClaimAdjustment(**FIELDS)
    assert trusted == validated
    assert hash(trusted) == hash(validated)
    assert trusted.model_dump_json(exclude_unset=True) == validated.model_dump_json(exclude_unset=True)
    assert copy.deepcopy(trusted) == validated
    assert pickle.loads(pickle.dumps(trusted)) == validated
    assert trusted.model_copy(update={"amount": Money(1)}) == ClaimAdjustment(**{**FIELDS, "amount": Money(1)})


def test_a_trusted_model_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ClaimAdjustment.trusted(**FIELDS).reason = "96"  # type: ignore[misc]


def test_a_trusted_model_takes_every_field() -> None:
    with pytest.raises(AssertionError, match="every field"):
        ClaimAdjustment.trusted(reason="45", amount=Money(1))
