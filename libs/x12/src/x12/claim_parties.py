"""The people and organisations of an 837, the same in its three kinds: plain typed values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Address:
    """`postal_code` is digits only: five or nine, nine for a billing provider and a service facility."""

    line1: str
    city: str
    state: str
    postal_code: str
    line2: str = ""


@dataclass(frozen=True, slots=True)
class BillingProvider:
    """Who bills (2010AA); its claims share one HL. With a `first_name` it is a person and `name` the last name.

    `pay_to` is where payments go when that is not `address` (2010AB).
    """

    name: str
    npi: str
    tax_id: str
    address: Address
    taxonomy_code: str = ""
    first_name: str = ""
    pay_to: Address | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Who referred, treated, supervised, attended or operated (2310, 2420). Without a `first_name` it may be an organisation.

    `is_organisation` is for the one role, rendering, where the guides allow it; `last_name` is then its name.
    `taxonomy_code` is written for rendering, attending and assisting providers.
    """

    last_name: str
    first_name: str
    npi: str
    taxonomy_code: str = ""
    is_organisation: bool = False


@dataclass(frozen=True, slots=True)
class ServiceFacility:
    """Where the service was given, if that is not the billing provider's place (2310C, institutional 2310E)."""

    name: str
    address: Address
    npi: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who is asked to pay (2010BB, 2330B). `filing_indicator` is SBR09, for example CI, MB or MC."""

    name: str
    identifier: str
    filing_indicator: str = "CI"
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who holds the coverage (2000B, 2010BA). PHI. Gender is F, M or U.

    `responsibility` is SBR01, the place in line of the payer that this claim goes to: P, S, T, or A to H for the fourth
    and later; `insurance_type` SBR05, which Medicare asks for when it is not the primary payer. `plan_name` is
    written where there is no `group_number`. `casualty_number` is the insurer's number of an accident (REF*Y4).
    """

    last_name: str
    first_name: str
    member_id: str
    birth_date: date
    gender: str
    address: Address
    middle_name: str = ""
    group_number: str = ""
    responsibility: str = "P"
    insurance_type: str = ""
    plan_name: str = ""
    casualty_number: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient where it is not the subscriber (2000C, 2010CA). PHI. `relationship` is PAT01: 01 spouse, 19 child, G8 other.

    `casualty_number` is the insurer's number of an accident (REF*Y4).
    """

    last_name: str
    first_name: str
    birth_date: date
    gender: str
    address: Address
    relationship: str
    middle_name: str = ""
    casualty_number: str = ""
