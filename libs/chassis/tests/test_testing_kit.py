"""The kit itself can fail: a test written with it turns red when the rule is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from canonical.classes import Public
from canonical.money import Money
from chassis.domain import Aggregate, ContextSource, Event
from chassis.eventstore import EventRegistry
from chassis.testing import FixedClock, assert_golden, context, given, happened
from chassis.testing.sample import Purse, PurseIsClosed, purse_id, registry

OPENED = happened(Purse.Opened, owner="ann")


def test_expected_events_that_happened_pass() -> None:
    given(Purse, [OPENED]).when(lambda purse: purse.fill(Money(5))).then(happened(Purse.Filled, amount=Money(5)))


@pytest.mark.parametrize("expected", [[], [happened(Purse.Filled, amount=Money(6))], [OPENED]])
def test_expected_events_that_did_not_happen_fail(expected: list[object]) -> None:
    outcome = given(Purse, [OPENED]).when(lambda purse: purse.fill(Money(5)))
    with pytest.raises(AssertionError):
        outcome.then(*expected)  # type: ignore[arg-type]


def test_a_refusal_is_told_from_events_and_from_another_rule() -> None:
    outcome = given(Purse).when(lambda purse: purse.fill(Money(5)))
    outcome.then_refused(PurseIsClosed, "open it first")
    with pytest.raises(AssertionError):
        outcome.then()
    with pytest.raises(AssertionError, match="does not say"):
        outcome.then_refused(PurseIsClosed, "balance")
    with pytest.raises(AssertionError, match="got None"):
        given(Purse).when(lambda purse: purse.open("ann")).then_refused(PurseIsClosed)


def test_the_clock_moves_when_told() -> None:
    clock = FixedClock()
    before = clock()
    assert clock() == before
    assert (clock.advance(hours=2) - before).total_seconds() == 7200


def examples() -> list[Event]:
    purse = Purse(purse_id("golden"), ContextSource(context()))
    purse.open("ann")
    purse.fill(Money(5))
    purse.close()
    return purse.pending


def test_new_golden_files_are_written_once_and_then_compared(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"sample\.purse\.opened\.v1\.json"):
        assert_golden(registry(), tmp_path, examples())
    assert_golden(registry(), tmp_path, examples())


def test_an_event_without_an_example_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"give an example event of: sample\.purse\.closed"):
        assert_golden(registry(), tmp_path, examples()[:2])


def test_an_event_stored_otherwise_than_before_is_named_and_its_file_left_alone(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        assert_golden(registry(), tmp_path, examples())
    path = tmp_path / "sample.purse.filled.v1.json"
    changed = path.read_text().replace("0.05 USD", "0.06 USD")
    path.write_text(changed)
    with pytest.raises(AssertionError, match="stored otherwise than before"):
        assert_golden(registry(), tmp_path, examples())
    assert path.read_text() == changed


def test_an_event_that_is_no_longer_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        assert_golden(registry(), tmp_path, examples())
    (tmp_path / "sample.purse.lost.v1.json").write_text(
        (tmp_path / "sample.purse.closed.v1.json").read_text().replace("closed", "lost")
    )
    with pytest.raises(AssertionError, match="must stay readable for ever"):
        assert_golden(registry(), tmp_path, examples())


class Jar(Aggregate):
    """Its event has been changed once."""

    class Labelled(Event):
        TOPIC = "sample.jar.labelled"
        class_version = 2
        label: Public[str]
        language: Public[str]

        @staticmethod
        def upcast_v1_v2(state: dict[str, object]) -> None:
            state["language"] = "en"


def test_golden_files_of_older_versions_are_loaded_through_their_upcasts(tmp_path: Path) -> None:
    jar = Jar(purse_id("jar"), ContextSource(context()))
    jar.trigger_event(Jar.Labelled, label="plums", language="de")
    jars = EventRegistry((Jar,))
    with pytest.raises(AssertionError):
        assert_golden(jars, tmp_path, jar.pending)
    content = json.loads((tmp_path / "sample.jar.labelled.v2.json").read_text())
    del content["state"]["class_version"], content["state"]["language"]
    old = tmp_path / "sample.jar.labelled.v1.json"
    old.write_text(json.dumps(content))
    assert_golden(jars, tmp_path, jar.pending)
    content["state"]["lable"] = content["state"].pop("label")
    old.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="label"):
        assert_golden(jars, tmp_path, jar.pending)
