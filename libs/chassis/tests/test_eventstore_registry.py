"""What of a stored event is read, and what of it must be known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chassis.domain import ContextSource, Event
from chassis.eventstore.registry import NewerEvent
from chassis.testing import context
from chassis.testing.sample import Purse, purse_id, registry
from pydantic import ValidationError


def opened() -> Event:
    purse = Purse(purse_id("a"), ContextSource(context()))
    purse.open("someone")
    return purse.pending[0]


def test_a_field_that_a_newer_build_added_is_left_out() -> None:
    stored = registry().encode(opened())
    newer = replace(stored, state=stored.state[:-1] + b',"colour":"red"}')

    assert registry().decode(newer) == opened()


def test_a_field_that_no_event_has_is_refused_when_it_is_made() -> None:
    event = opened()

    with pytest.raises(ValidationError, match="colour"):
        Purse.Opened.model_validate({**dict(event), "colour": "red"})


def test_an_event_of_a_newer_version_is_not_guessed_at() -> None:
    stored = registry().encode(opened())
    newer = replace(stored, state=b'{"class_version":2,' + stored.state[1:])

    with pytest.raises(NewerEvent, match="version 2"):
        registry().decode(newer)
