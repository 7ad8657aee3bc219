"""Threads that answer calls ask for short turns, and processes that work give way; nothing where the system knows of neither."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading

import pytest
from chassis import turns

GIVE_WAY = """
import os
from chassis import turns
turns.give_way()
print(os.nice(0), turns.AUTOGROUP.read_text().split()[-1])
"""


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


def given_way(*, own_session: bool) -> tuple[int, int]:
    """The niceness of a process that gave way, and that of its session."""
    done = subprocess.run(
        [sys.executable, "-c", GIVE_WAY], start_new_session=own_session, capture_output=True, check=True, text=True
    )
    own, of_session = done.stdout.split()
    return int(own), int(of_session)


@pytest.mark.skipif(not turns.AUTOGROUP.exists(), reason="this kernel does not divide the processor among sessions")
def test_a_process_gives_way_with_its_session_and_never_with_that_of_others() -> None:
    here = int(turns.AUTOGROUP.read_text().split()[-1])
    before = os.nice(0)
    assert given_way(own_session=True) == (before + turns.NICENESS, turns.NICENESS)
    assert given_way(own_session=False) == (before + turns.NICENESS, here)
