"""What differs from site to site in the HL7 v2 that is sent, as data: which field holds what, and how it is meant."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from canonical.time_zones import zone_of
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from intake.adapters.hl7v2.wire import CHARACTER_SETS

DEFAULT_FILE = Path(__file__).with_name("default_profiles.toml")
PROFILES_MAX = 500
_PLACE = re.compile(r"[A-Z][A-Z0-9]{2}-[1-9][0-9]{0,2}(\.[1-9][0-9]?)?")


class UnusableProfiles(Exception):
    """The file of site profiles cannot be used; the message names the profile and the setting."""


class TransactionKind(StrEnum):
    """What a transaction type (FT1-6) means."""

    CHARGE = "charge"
    CREDIT = "credit"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"


class OtherContent(StrEnum):
    """What it means that a charge comes again under its id with other content."""

    CONFLICT = "conflict"
    CORRECTION = "correction"


class Validation(StrEnum):
    """How much of the standard is checked beside what we read."""

    WHAT_IS_READ = "what-is-read"
    STRICT = "strict"


def _place(text: str) -> str:
    if not _PLACE.fullmatch(text):
        raise ValueError("a place reads SEG-field or SEG-field.component")
    return text


def _optional_place(text: str) -> str:
    return _place(text) if text else ""


def _optional_zone(text: str) -> str:
    return zone_of(text).key if text else ""


def _sender(text: str) -> str:
    if text.count("|") != 1:
        raise ValueError("a sender reads MSH-3|MSH-4, with * for any")
    return text


def _character_set(text: str) -> str:
    if text not in CHARACTER_SETS:
        raise ValueError("no character set of HL7 table 0211 that is read here")
    return text


Place = Annotated[str, AfterValidator(_place)]
OptionalPlace = Annotated[str, AfterValidator(_optional_place)]
OptionalZone = Annotated[str, AfterValidator(_optional_zone)]
Sender = Annotated[str, AfterValidator(_sender)]
CharacterSet = Annotated[str, AfterValidator(_character_set)]
Relationship = Annotated[str, Field(pattern=r"^(self|01|19|20|21|39|40|53|G8)$")]


class SiteProfile(BaseModel):
    """How the messages of some senders are read. Lists of places are tried in their order, the first value counts.

    `docs/hl7-profiles.md` tells what each setting means.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    senders: tuple[Sender, ...] = Field(min_length=1)
    processing_ids: tuple[str, ...] = ("P",)
    character_set: CharacterSet = ""
    time_zone: OptionalZone = ""
    validation: Validation = Validation.WHAT_IS_READ
    numbers_per_facility: bool = False
    medical_record_kinds: tuple[str, ...] = ("MR",)
    visit_number: tuple[Place, ...] = ("PV1-19", "PID-18")
    charge_id: Place = "FT1-2"
    charge_id_from_place: bool = False
    credited_charge: Place = "FT1-2"
    procedure: tuple[Place, ...] = ("FT1-25", "FT1-7")
    department: Place = "FT1-13"
    tooth: OptionalPlace = ""
    tooth_surfaces: OptionalPlace = ""
    mouth_areas: OptionalPlace = ""
    unit_amount_is_multiplied: bool = False
    negative_charge_is_credit: bool = False
    transaction_types: dict[str, TransactionKind] = Field(
        default_factory=lambda: {
            "CG": TransactionKind.CHARGE,
            "CD": TransactionKind.CREDIT,
            "PY": TransactionKind.PAYMENT,
            "CO": TransactionKind.PAYMENT,
            "AJ": TransactionKind.ADJUSTMENT,
        }
    )
    payments_are_negative: bool = False
    same_charge_other_content: OtherContent = OtherContent.CONFLICT
    member_id: tuple[Place, ...] = ("IN1-36", "IN2-61", "IN1-49")
    payer: tuple[Place, ...] = ("IN1-3",)
    plan: Place = "IN1-35"
    relationships: dict[str, Relationship] = {}
    self_pay_names: tuple[str, ...] = ("SELF PAY", "SELFPAY", "SELF-PAY")
    self_pay_classes: tuple[str, ...] = ("SELF PAY", "SELFPAY", "SELF-PAY", "SELF")

    @property
    def zone(self) -> ZoneInfo | None:
        """Where its senders' clocks are; None where nobody said so."""
        return zone_of(self.time_zone) if self.time_zone else None

    def is_for(self, application: str, facility: str) -> bool:
        """Whether messages of this sender (MSH-3.1, MSH-4.1) are read by it."""
        return any(
            fnmatchcase(application, pattern.partition("|")[0]) and fnmatchcase(facility, pattern.partition("|")[2])
            for pattern in self.senders
        )


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    unknown_senders: str = Field(default="default", pattern="^(default|refused)$")
    profile: tuple[SiteProfile, ...] = Field(min_length=1, max_length=PROFILES_MAX)


@dataclass(frozen=True, slots=True)
class SiteProfiles:
    """The profiles of a site, the first that is for a sender counts."""

    profiles: tuple[SiteProfile, ...]

    def profile_for(self, application: str, facility: str) -> SiteProfile | None:
        return next((each for each in self.profiles if each.is_for(application, facility)), None)

    def character_set_for(self, application: str, facility: str) -> str:
        """What counts instead of MSH-18; empty where MSH-18 counts."""
        found = self.profile_for(application, facility)
        return found.character_set if found else ""


def read_profiles(path: Path | None) -> SiteProfiles:
    """The profiles of a file, and after them the one that is shipped, unless the file refuses unknown senders.

    Raises:
        UnusableProfiles: it cannot be read, or a setting is not what it may be.
    """
    if path is None:
        return default_profiles()
    found = _read(path)
    rest = default_profiles().profiles if found.unknown_senders == "default" else ()
    names = [each.name for each in (*found.profile, *rest)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnusableProfiles(f"{path.name}: two profiles are named {twice[0]}")
    return SiteProfiles((*found.profile, *rest))


@lru_cache(maxsize=1)
def default_profiles() -> SiteProfiles:
    """The profile that is shipped, for every sender that no other profile is for."""
    return SiteProfiles(_read(DEFAULT_FILE).profile)


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError):
        raise UnusableProfiles(f"{path.name}: cannot be read") from None
    except tomllib.TOMLDecodeError as error:
        raise UnusableProfiles(f"{path.name}: no TOML: {error}") from None
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        told = "; ".join(f"{_where(fault['loc'])}: {fault['msg']}" for fault in faults)
        raise UnusableProfiles(f"{path.name}: {told}") from None


def _where(place: Sequence[int | str]) -> str:
    """`profile 2, visit_number 1` of a place in the file."""
    words = [f"{each + 1}" if isinstance(each, int) else f", {each}" for each in place]
    return " ".join(words).removeprefix(", ").replace(" ,", ",")
