"""Times without an offset are of the site's zone, and times with one belong to the day that the site's clocks show."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from intake.adapters.hl7v2 import SiteProfiles, UnusableProfiles, read_message, read_profiles
from intake.adapters.hl7v2.site_profiles import default_profiles
from intake.adapters.hl7v2.stamps import instant_of, local_stamp
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import ChargeSeen, EncounterSeen

from .world import charge_message, only, replace_field

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("202602061530", datetime(2026, 2, 6, 20, 30, tzinfo=UTC)),
        ("202607061530", datetime(2026, 7, 6, 19, 30, tzinfo=UTC)),
        ("202602061530+0000", datetime(2026, 2, 6, 15, 30, tzinfo=UTC)),
        ("20260206", datetime(2026, 2, 6, 5, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "an offset of its own", "a day"],
)
def test_a_time_without_an_offset_is_of_the_zone(stamp: str, instant: datetime) -> None:
    assert instant_of(stamp, NEW_YORK) == instant


def test_an_hour_that_the_clocks_leave_out_is_read_by_the_offset_before_it() -> None:
    assert instant_of("202603080230", NEW_YORK) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert instant_of("202603080159", NEW_YORK) == datetime(2026, 3, 8, 6, 59, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["202611010100", "202611010159"])
def test_an_hour_that_the_clocks_show_twice_is_no_instant(stamp: str) -> None:
    assert instant_of(stamp, NEW_YORK) is None
    assert instant_of(f"{stamp}-0400", NEW_YORK) is not None


@pytest.mark.parametrize(
    ("stamp", "local"),
    [
        ("20260207033000+0000", "20260206223000"),
        ("20260206203000-0500", "20260206203000"),
        ("202607070330-0000", "20260706233000"),
        ("20260207033000", "20260207033000"),
        ("20260207+0000", "20260207+0000"),
        ("2026020703300+99", "2026020703300+99"),
        ("", ""),
    ],
)
def test_a_stamp_with_hour_and_offset_is_told_as_the_sites_clocks_show_it(stamp: str, local: str) -> None:
    assert local_stamp(stamp, NEW_YORK) == local
    assert local_stamp(stamp, None) == stamp


def read(content: bytes, zone: str) -> InboundDelivery:
    profile = default_profiles().profiles[0].model_copy(update={"time_zone": zone})
    return read_message(content, actor="door", profiles=SiteProfiles((profile,))).delivery


@pytest.mark.parametrize(("zone", "day"), [("", 7), ("America/New_York", 6), ("Pacific/Guam", 7)])
def test_the_day_of_a_charge_follows_the_zone_of_the_site(zone: str, day: int) -> None:
    delivery = read(replace_field(charge_message(), "FT1", 4, "20260207033000+0000"), zone)
    charges = [fact for fact in delivery.facts if isinstance(fact, ChargeSeen)]
    assert charges[0].service_date == date(2026, 2, day)


def test_days_and_hours_of_a_visit_follow_the_zone_of_the_site() -> None:
    stay = replace_field(charge_message(), "PV1", 2, "I").decode()
    delivery = read(replace_field(stay, "PV1", 44, "20260207033000+0000"), "America/New_York")
    seen = only(delivery.facts, EncounterSeen)
    assert seen.starts_on == date(2026, 2, 6)
    assert seen.stay is not None
    assert seen.stay.admitted_at == "202602062230"


def test_what_was_said_when_is_read_in_the_zone_of_the_site() -> None:
    content = replace_field(charge_message(), "MSH", 7, "20260206153000")
    said = [only(read(content, zone).facts, EncounterSeen).said_at for zone in ("", "America/New_York")]
    assert said == [datetime(2026, 2, 6, 15, 30, tzinfo=UTC), datetime(2026, 2, 6, 20, 30, tzinfo=UTC)]


@pytest.mark.parametrize("name", ["America/Atlantis", "../etc/passwd", "America", "-0500"])
def test_a_zone_that_nobody_knows_keeps_the_service_from_starting(name: str, tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(f'[[profile]]\nname = "here"\nsenders = ["*|*"]\ntime_zone = "{name}"\n', "utf-8")
    with pytest.raises(UnusableProfiles, match=r"time_zone: .*no time zone of the IANA database"):
        read_profiles(path)
