"""Who sends an outbound interchange to whom, under which numbers: plain typed values for every writer here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from x12.segments import Delimiters

STANDARD_DELIMITERS = Delimiters("*", ":", "^", "~")


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who sends the interchange (1000A). The phone number is ten digits."""

    name: str
    identifier: str
    contact_name: str
    contact_phone: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who receives it (1000B)."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class SubmissionEnvelope:
    """Sender, receiver, control numbers and instant of one interchange; all given by the caller, nothing is counted here.

    `reference` is BHT03, which a 277CA gives back. `created` is in the sender's time zone, as the standard asks.
    `usage` is P or T.
    """

    sender_id: str
    receiver_id: str
    interchange_control_number: int
    group_control_number: int
    created: datetime
    reference: str
    usage: str = "P"
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    delimiters: Delimiters = STANDARD_DELIMITERS
