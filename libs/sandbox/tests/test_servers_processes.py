"""Processes are started, watched and stopped exactly: no leftover, and never a stranger that got a recycled pid."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox.folders import generated_secrets
from sandbox.ports import free_port, is_free, kept_ports
from sandbox.process_records import DidNotStop, ProcessIdentity, ProcessRecord, stop_recorded, wait_until
from sandbox.processes import AlreadyRunning, DidNotStart, ManagedProcess

SLEEPER = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
PARENT_OF_ONE = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
STARTER = """
import sys, time
from pathlib import Path
from sandbox.processes import ManagedProcess
folder = Path(sys.argv[1])
child = ManagedProcess("child", [sys.executable, "-c", "import time; time.sleep(60)"], log_file=folder / "child.log",
                       record_file=folder / "child.json", detached=sys.argv[2] == "detached")
child.start()
print("started", flush=True)
time.sleep(60)
"""


def process_in(folder: Path, code: str, *, grace_seconds: float = 10.0) -> ManagedProcess:
    return ManagedProcess(
        "sample",
        [sys.executable, "-c", code],
        log_file=folder / "sample.log",
        record_file=folder / "sample.json",
        grace_seconds=grace_seconds,
    )


def test_a_stopped_process_is_gone_and_so_is_its_record(tmp_path: Path) -> None:
    process = process_in(tmp_path, SLEEPER)
    process.start()
    record = process.record
    assert record is not None
    assert record.is_running()

    process.stop()

    assert not record.is_running()
    assert not (tmp_path / "sample.json").exists()


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    process = process_in(tmp_path, STUBBORN, grace_seconds=0.3)
    process.start()
    process.wait_until_healthy(lambda: "ready" in process.log_tail(), 10)

    process.stop()

    assert process.wait_for_exit(1) == -signal.SIGKILL


def test_children_of_a_stopped_process_are_stopped_too(tmp_path: Path) -> None:
    process = process_in(tmp_path, PARENT_OF_ONE)
    process.start()
    record = process.record
    assert record is not None
    assert wait_until(lambda: len(record.identity.family()) == 2, 10)
    family = record.identity.family()

    process.stop()

    assert [member for member in family if member.is_running()] == []


def test_a_suspended_process_stands_still_and_can_still_be_stopped(tmp_path: Path) -> None:
    process = process_in(tmp_path, "import time\nwhile True: print('tick', flush=True); time.sleep(0.01)")
    process.start()
    process.wait_until_healthy(lambda: "tick" in process.log_tail(), 10)
    process.suspend()
    time.sleep(0.05)
    before = process.log_file.stat().st_size
    time.sleep(0.1)
    assert process.log_file.stat().st_size == before

    process.resume()
    assert wait_until(lambda: process.log_file.stat().st_size > before, 5)
    process.suspend()
    process.stop()

    assert not process.is_running()


def test_another_program_stops_a_recorded_process_by_its_record(tmp_path: Path) -> None:
    process = process_in(tmp_path, SLEEPER)
    process.start()

    assert stop_recorded(tmp_path / "sample.json")
    assert not stop_recorded(tmp_path / "sample.json")
    assert process.wait_for_exit(1) == -signal.SIGTERM


def test_a_stranger_with_the_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = process_in(tmp_path, SLEEPER)
    stranger.start()
    record = stranger.record
    assert record is not None
    earlier = replace(record.identity, started_ticks=record.identity.started_ticks - 1)
    replace(record, identity=earlier).write(tmp_path / "stale.json")

    assert not stop_recorded(tmp_path / "stale.json")
    assert record.is_running()
    stranger.stop()


def test_a_process_that_runs_is_not_started_twice(tmp_path: Path) -> None:
    process = process_in(tmp_path, SLEEPER)
    process.start()
    try:
        with pytest.raises(AlreadyRunning):
            process_in(tmp_path, SLEEPER).start()
    finally:
        process.stop()


def test_a_process_that_ends_before_it_is_healthy_shows_its_log(tmp_path: Path) -> None:
    process = process_in(tmp_path, "raise SystemExit('no such configuration')")
    process.start()
    with pytest.raises(DidNotStart, match="no such configuration"):
        process.wait_until_healthy(lambda: False, 10)
    process.stop()


def test_waiting_for_the_exit_of_a_process_that_goes_on_is_refused_at_the_deadline(tmp_path: Path) -> None:
    process = process_in(tmp_path, SLEEPER)
    process.start()
    with pytest.raises(DidNotStop):
        process.wait_for_exit(0.05)
    process.stop()


def test_nothing_of_the_callers_environment_reaches_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    process = process_in(tmp_path, "import os; print(sorted(os.environ))")
    process.start()
    process.wait_for_exit(10)
    assert "PGHOST" not in process.log_tail()
    assert "HOME" in process.log_tail()
    process.stop()


@pytest.mark.parametrize(("mode", "outlives"), [("attached", False), ("detached", True)])
def test_only_a_detached_process_outlives_a_killed_parent(tmp_path: Path, mode: str, outlives: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path), mode], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        child = ProcessRecord.read(tmp_path / "child.json")
        assert child is not None
        assert child.is_running()
        parent.kill()

    assert wait_until(lambda: not child.is_running(), 0.5) is not outlives
    stop_recorded(tmp_path / "child.json")
    assert not child.is_running()


def test_a_pid_that_is_not_in_use_has_no_identity() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(10)
    assert ProcessIdentity.of(ended.pid) is None


def test_ports_are_kept_from_start_to_start(tmp_path: Path) -> None:
    ports = kept_ports(tmp_path / "ports.json", ["one", "two"])
    assert kept_ports(tmp_path / "ports.json", ["two", "one"]) == ports
    assert is_free(free_port())


def test_a_port_is_given_once_although_nobody_listens_on_it_yet() -> None:
    given = [free_port() for _ in range(300)]
    assert len(set(given)) == len(given)


def test_secrets_are_made_once_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    first = generated_secrets(tmp_path / "secrets.json", ["claims"])
    second = generated_secrets(tmp_path / "secrets.json", ["claims", "payments"])
    assert second["claims"] == first["claims"]
    assert second["payments"] != first["claims"]
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
