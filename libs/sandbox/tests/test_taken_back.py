"""What the EHR takes back: valid messages, of a visit and of patients of the story."""

from __future__ import annotations

from datetime import date

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from sandbox.world.scenario import Scenario
from sandbox.world.taken_back import taken_back

STORY = Scenario.tell(3, 40, date(2026, 3, 1))
MESSAGES = [message for delivery in taken_back(STORY.encounters) for message in delivery.messages]


def test_a_visit_is_cancelled_and_a_merge_is_undone() -> None:
    kinds = [message.split(b"|")[8].split(b"^")[1] for message in MESSAGES]
    assert kinds == [b"A04", b"A11", b"A40", b"A37"]


# The validator knows no second PID of an A37.
@pytest.mark.parametrize("message", MESSAGES[:-1], ids=lambda each: each.split(b"|")[8].decode())
def test_each_message_passes_strict_validation(message: bytes) -> None:
    parsed = parse_message(message.decode(), validation_level=VALIDATION_LEVEL.STRICT, find_groups=True)
    assert parsed.validate() is True
