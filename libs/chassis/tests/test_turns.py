"""Threads that answer calls ask for short turns, and processes that work give way; nothing where the system knows of neither."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading

import pytest
from chassis import turns

OF_SESSION = """
from chassis import turns
print(turns.AUTOGROUP.read_text().split()[-1])
"""
GIVE_WAY = """
import os
from chassis import turns
turns.give_way()
print(os.nice(0), turns.AUTOGROUP.read_text().split()[-1])
"""
WITHIN = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"


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


def said(*command: str) -> str:
    """What this program says, run in a session of its own."""
    done = subprocess.run(
        [sys.executable, "-c", *command], start_new_session=True, capture_output=True, check=False, text=True
    )
    return done.stdout


def sessions_take_turns() -> bool:
    """Whether this kernel divides the processor among sessions: a new session then has a niceness of its own."""
    return turns.AUTOGROUP.exists() and said(OF_SESSION) == "0\n"


@pytest.mark.skipif(not sessions_take_turns(), reason="this kernel does not divide the processor among sessions")
def test_a_process_gives_way_with_its_session_and_never_with_that_of_others() -> None:
    own = os.nice(0) + turns.NICENESS
    assert said(GIVE_WAY) == f"{own} {turns.NICENESS}\n"
    assert said(WITHIN, GIVE_WAY) == f"{own} 0\n"
