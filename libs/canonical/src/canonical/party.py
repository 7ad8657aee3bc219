"""People and organizations: the patient's details are PHI and live only sealed or in memory."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from canonical.classes import CanonicalModel, Phi, Public


class Address(CanonicalModel):
    line: Phi[str] = ""
    city: Phi[str] = ""
    state: Phi[str] = ""
    postal_code: Phi[str] = ""


class PatientDetails(CanonicalModel):
    """Who the patient is; the content of a sealed envelope of kind `patient.v1`."""

    family_name: Phi[str]
    given_name: Phi[str]
    birth_date: Phi[date]
    sex: Phi[str] = Field(pattern="^[MFU]$")
    address: Address = Address()
    identifiers: tuple[Phi[str], ...] = ()


class CoverageDetails(CanonicalModel):
    """What the payer knows the subscriber by. `relationship` is `self` or an X12 individual relationship code.

    `plan` is the source's code of the payer's plan; it names no person.
    """

    member_id: Phi[str]
    group_number: Phi[str] = ""
    relationship: Phi[str] = "self"
    subscriber_family_name: Phi[str] = ""
    subscriber_given_name: Phi[str] = ""
    plan: Public[str] = ""


class Guarantor(CanonicalModel):
    """Who answers for what the payers leave: a person, or an organization. The id is the patient's own for a patient who does.

    `relationship` is that to the patient: `self`, an X12 individual relationship code, or empty where nobody said.
    """

    guarantor_id: UUID
    relationship: Phi[str] = ""
    family_name: Phi[str] = ""
    given_name: Phi[str] = ""
    organization: Phi[str] = ""
    birth_date: Phi[date] | None = None
    address: Address = Address()
    phone: Phi[str] = ""


class OrganizationAddress(CanonicalModel):
    """Where an organization is; public knowledge, unlike a patient's address."""

    line: Public[str]
    city: Public[str]
    state: Public[str]
    postal_code: Public[str]
