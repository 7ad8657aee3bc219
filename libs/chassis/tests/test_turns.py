"""Threads that answer calls ask for short turns; nothing is asked for where the system does not know of them."""

from __future__ import annotations

import platform
import threading

import pytest
from chassis import turns


def test_a_system_that_knows_no_turns_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    assert not turns.take_turns(turns.SHORT_NANOSECONDS)


def test_turns_are_short_within_and_usual_afterwards_even_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(turns, "take_turns", asked.append)

    def fail() -> None:
        with turns.short_turns():
            assert asked == [turns.SHORT_NANOSECONDS]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert asked == [turns.SHORT_NANOSECONDS, turns.USUAL]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="a system call of these machines")
def test_the_kernel_takes_what_is_asked_of_it() -> None:
    taken: list[bool] = []

    def ask() -> None:
        taken.extend((turns.take_turns(turns.SHORT_NANOSECONDS), turns.take_turns(turns.USUAL)))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert taken == [True, True]
