"""Settings come from the environment once; what does not fit is named and never shown. Crash points kill for real."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chassis.messaging.topology import Topology
from chassis.runtime.crash_points import STEPS, CrashPoints, UnknownStep
from chassis.runtime.roles import Role
from chassis.runtime.settings import Settings, WrongSettings

NEEDED = {
    "THROUGHLINE_DATABASE_URL": "postgresql://claims:hush@127.0.0.1/claims",
    "THROUGHLINE_NATS_URL": "nats://127.0.0.1:4222",
    "THROUGHLINE_NATS_USER": "claims",
    "THROUGHLINE_NATS_PASSWORD": "hush-hush",
}
DIE = """
import sys
from pathlib import Path
from chassis.runtime.crash_points import CrashPoints
crash = CrashPoints.armed(sys.argv[1], sys.argv[2], "claims")
for step in ("before-commit", "after-commit", "before-commit"):
    crash(step)
print("survived")
"""


def test_settings_are_read_by_their_names() -> None:
    environment = NEEDED | {
        "THROUGHLINE_NATS_MONITORING_URLS": "http://a:8222,http://b:8222",
        "THROUGHLINE_PARTITION_GROUPS": "4",
        "THROUGHLINE_GRPC_PORT": "7000",
        "THROUGHLINE_EXCHANGE_DIR": "/exchange",
        "UNRELATED": "x",
    }
    settings = Settings.from_environment(environment)
    assert settings.nats_monitoring_urls == ("http://a:8222", "http://b:8222")
    assert settings.topology == Topology(partition_groups=4)
    assert settings.exchange_dir == Path("/exchange")
    assert settings.nats_login("ledger").inbox_prefix == b"_INBOX_ledger-adapter"


def test_a_missing_or_wrong_setting_is_named_and_no_value_is_shown() -> None:
    environment = {"THROUGHLINE_DATABASE_URL": "hush", "THROUGHLINE_GRPC_PORT": "secret-port"}
    with pytest.raises(WrongSettings) as wrong:
        Settings.from_environment(environment)
    assert "THROUGHLINE_NATS_URL" in str(wrong.value)
    assert "THROUGHLINE_GRPC_PORT" in str(wrong.value)
    assert "secret-port" not in str(wrong.value)


def test_secrets_do_not_show_themselves() -> None:
    assert "hush" not in repr(Settings.from_environment(NEEDED))


def test_a_service_adds_its_own_settings() -> None:
    class LedgerSettings(Settings):
        erp_url: str = ""

    settings = LedgerSettings.from_environment(NEEDED | {"THROUGHLINE_ERP_URL": "http://erp"})
    assert settings.erp_url == "http://erp"


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(UnknownStep, match="before-commit"):
        CrashPoints.armed("claims:before-comit", "", "claims")


def test_nothing_happens_unarmed_or_armed_for_another_service() -> None:
    for crash in (CrashPoints(), CrashPoints.armed("payments:before-commit", "", "claims")):
        for step in STEPS:
            crash(step)


@pytest.mark.parametrize(
    ("crash_at", "dies"),
    [("claims:before-commit", True), ("claims:before-commit:2", True), ("claims:before-commit:3", False)],
)
def test_an_armed_step_kills_the_process_and_leaves_its_mark(tmp_path: Path, crash_at: str, dies: bool) -> None:
    mark = tmp_path / "mark"
    ended = subprocess.run([sys.executable, "-c", DIE, crash_at, str(mark)], capture_output=True, check=False)
    assert (ended.returncode == -signal.SIGKILL) is dies
    assert mark.exists() is dies


@pytest.mark.parametrize(
    ("role", "answers", "works", "name"),
    [
        (Role.ALL, True, True, "claims"),
        (Role.WORK, False, True, "claims"),
        (Role.CALLS, True, False, "claims-calls"),
    ],
)
def test_a_role_is_one_half_of_a_service_or_both(role: Role, answers: bool, works: bool, name: str) -> None:
    assert (role.answers, role.works, role.process_name("claims")) == (answers, works, name)


def test_a_process_is_the_whole_service_unless_it_is_told_its_role() -> None:
    assert Settings.from_environment(NEEDED).role is Role.ALL
    assert Settings.from_environment(NEEDED | {"THROUGHLINE_ROLE": "calls"}).role is Role.CALLS
    with pytest.raises(WrongSettings, match="THROUGHLINE_ROLE"):
        Settings.from_environment(NEEDED | {"THROUGHLINE_ROLE": "both"})


@pytest.mark.parametrize(
    ("role", "armed"), [("all", "claims"), ("work", "claims"), ("calls", "claims-calls")], ids=["all", "work", "calls"]
)
def test_a_crash_is_meant_for_one_process_of_a_service(role: str, armed: str) -> None:
    for named in ("claims", "claims-calls"):
        told = {"THROUGHLINE_ROLE": role, "CRASH_AT": f"{named}:no-such-step"}
        settings = Settings.from_environment(NEEDED | told)
        if named == armed:
            with pytest.raises(UnknownStep):
                settings.crash_points("claims")
        else:
            settings.crash_points("claims")("before-commit")
