"""The codes that HL7 v2 messages would have looked up: at the usual places, or where a site profile says that they stand."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from throughline.outcome import Unusable

Place = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2}-[1-9][0-9]{0,2}(\.[1-9][0-9]?)?$")]
Rows = Sequence[Sequence[str]]


class SiteReading(BaseModel):
    """What of a site profile says where codes stand; its other settings are intake's to read."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    name: str = "default"
    senders: tuple[str, ...] = ("*|*",)
    payer: tuple[Place, ...] = ("IN1-3",)
    department: Place = "FT1-13"
    self_pay_names: tuple[str, ...] = ("SELF PAY", "SELFPAY", "SELF-PAY")

    def is_for(self, application: str, facility: str) -> bool:
        patterns = (pattern.partition("|") for pattern in self.senders)
        return any(fnmatchcase(application, one) and fnmatchcase(facility, other) for one, _, other in patterns)


class SiteReadings(BaseModel):
    """The profiles of a file, in their order; the first that is for a sender counts."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    unknown_senders: str = Field(default="default", pattern="^(default|refused)$")
    profile: tuple[SiteReading, ...] = ()

    def of(self, application: str, facility: str) -> SiteReading:
        """Raises ValueError where the file refuses senders that no profile is for."""
        found = next((each for each in self.profile if each.is_for(application, facility)), None)
        if found is None and self.unknown_senders == "refused":
            raise ValueError(
                "no profile is for the sender (MSH-3, MSH-4) of a message, and unknown senders are refused"
            )
        return found or SiteReading()


def read_site_readings(path: Path | None) -> SiteReadings:
    """The profiles of the file that intake reads (`THROUGHLINE_HL7_PROFILES_PATH`); the usual places without one.

    Raises:
        Unusable: the file cannot be read, or a place in it is none.
    """
    if path is None:
        return SiteReadings()
    try:
        return SiteReadings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "unreadable_file") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Unusable(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}", "unreadable_file") from None
    except ValueError as error:
        raise Unusable(f"{path}: no TOML: {error}", "unreadable_file") from None


@dataclass(frozen=True, slots=True)
class Hl7Message:
    """One message as fields; `at` gives first components of first repetitions."""

    component: str
    rows: Rows

    @classmethod
    def of(cls, text: str) -> Hl7Message:
        separator = text[3:4]
        rows = [line.split(separator) for line in text.split("\r") if line]
        return cls(text[4:5], [["MSH", separator, *rows[0][1:]], *rows[1:]])

    def groups(self, name: str) -> list[Hl7Message]:
        """The parts that begin with a segment of this name."""
        starts = [number for number, row in enumerate(self.rows) if row[0] == name]
        return [Hl7Message(self.component, self.rows[a:b]) for a, b in pairwise([*starts, len(self.rows)])]

    def all_at(self, place: str) -> list[str]:
        """What stands there in every segment of the name."""
        found = (self._in(row, place.partition("-")[2]) for row in self.rows if row[0] == place[:3])
        return [code for code in found if code]

    def at(self, place: str) -> str:
        row = next((row for row in self.rows if row[0] == place[:3]), [])
        return self._in(row, place.partition("-")[2])

    def _in(self, row: Sequence[str], number: str) -> str:
        field, _, component = number.partition(".")
        parts = row[int(field)].split("~")[0].split(self.component) if len(row) > int(field) else []
        wanted = int(component or 1) - 1
        return parts[wanted].strip() if len(parts) > wanted else ""


def codes_told(message: Hl7Message, sites: SiteReadings) -> dict[str, list[str]]:
    """The codes of a message by their kind; ValueError where its sender is refused."""
    reading = sites.of(message.at("MSH-3"), message.at("MSH-4"))
    payers = [
        _first(insurance, reading.payer) for insurance in message.groups("IN1") if not _is_self_pay(insurance, reading)
    ]
    return {
        "entity": message.all_at("MSH-4"),
        "location": message.all_at("PV1-3"),
        "provider": [*message.all_at("PV1-7"), *message.all_at("FT1-20")],
        "payer": [payer for payer in payers if payer],
        "department": [code for charge in message.groups("FT1") if (code := charge.at(reading.department))],
    }


def _first(message: Hl7Message, places: Sequence[str]) -> str:
    return next(filter(None, map(message.at, places)), "")


def _is_self_pay(insurance: Hl7Message, reading: SiteReading) -> bool:
    return any(insurance.at(f"IN1-{number}").upper() in reading.self_pay_names for number in (2, 3, 4))
