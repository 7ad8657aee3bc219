"""The EHR: turns the encounters of a scenario into FHIR bundles and HL7 messages, and sends them.

Source `ehr-north` is the EHR of entity NORTH, `ehr-south` that of SOUTH. Diagnoses are ICD-10-CM with the dot, in
order of importance. A self-pay encounter says so (Coverage.type `pay`, PV1-20 SELF). The patient is always the subscriber.

==================  ======================================================  ===================================
fact                FHIR R4 Bundle (type transaction)                       HL7 v2.5.1 (DFT^P03)
==================  ======================================================  ===================================
source system       Bundle.meta.source                                      MSH-3
entity code         Encounter.serviceProvider -> Organization.identifier    MSH-4
                    of system urn:sandbox:entity
delivery key        Bundle.identifier.value                                 MSH-10 (visit number + trigger)
patient's MRN       Patient.identifier of type MR,                          PID-3.1 (PID-3.4 source, PID-3.5 MR)
                    system urn:sandbox:<source>:mrn
name                Patient.name[0].family, .given[0]                       PID-5.1, PID-5.2
birth date, sex     Patient.birthDate, .gender (female, male)               PID-7, PID-8 (F, M)
address             Patient.address[0].line[0], city, state, postalCode     PID-11.1, .3, .4, .5
visit number        Encounter.identifier, system urn:sandbox:<source>:visit PV1-19 (and PID-18)
location code       Encounter.location[0].location.identifier               PV1-3.1, FT1-16.1
service dates       Encounter.period.start, .end                            PV1-44, PV1-45
diagnoses           Encounter.reasonCode[].coding[0].code                   DG1-3.1, in order of DG1-1
charge id           ChargeItem.identifier, system urn:sandbox:<source>:     FT1-2
                    charge
procedure           ChargeItem.code.coding[0].code                          FT1-25.1 (and FT1-7.1)
modifiers           ChargeItem.extension urn:sandbox:procedure-modifier     FT1-26, repeating
                    .valueCode
service date        ChargeItem.occurrenceDateTime (a date)                  FT1-4
kind                ChargeItem.status billable (entered-in-error takes it   FT1-6 CG (CD takes it back, PY is money
                    back; another PUT corrects it)                          that the front desk took)
units               ChargeItem.quantity.value                               FT1-10
extended amount     ChargeItem.priceOverride.value, .currency               FT1-11.1.1, .1.2 (FT1-12 is the unit
                                                                            amount)
charge's diagnoses  ChargeItem.reason[].coding[0].code                      FT1-19.1, repeating
department          ChargeItem.costCenter.identifier.value                  FT1-13.1
rendering provider  ChargeItem.performer[0].actor and                       FT1-20.1, first repetition; the second
                    Encounter.participant[0].individual -> Practitioner     is the NPI (FT1-20.9 NPI)
                    .identifier of system urn:sandbox:provider
payer code          Coverage.payor[0] -> Organization.identifier of         IN1-3.1
                    system urn:sandbox:payer
member id           Coverage.subscriberId (absent when missing)             IN1-36 (empty when missing)
group number        Coverage.class[0].value of type group                   IN1-8
rank                Coverage.order (1 pays first)                           IN1-1 (and IN1-22)
stay                Encounter.class IMP                                     PV1-2 I
admitted, left      Encounter.period with hours                             PV1-44, PV1-45
how urgent          Encounter.priority (EM)                                 PV1-4 (E)
from where          Encounter.hospitalization.admitSource (emd)             PV1-14 (1)
to where            Encounter.hospitalization.dischargeDisposition (home)   PV1-36 (01)
type of bill, DRG   Encounter.type                                          DRG-1 (the bill type is master data's)
diagnoses of a stay Encounter.diagnosis -> Condition, use AD, DD, CM        DG1-6 A in the A01, F in the A03
done in the stay    Procedure (ICD-10-PCS)                                  PR1-3, PR1-5
revenue code        ChargeItem.code, second coding                          FT1-25, alternate identifier (or alone)
tooth, surfaces     ChargeItem.bodysite                                     (dental visits come in FHIR alone)
==================  ======================================================  ===================================

`ehr-north` sends its own department codes (FAMMED, INTMED, PEDS): the crosswalk of kind `department` translates them;
`ehr-south` sends ours. References are relative (`Patient/MRN1`), each entry's fullUrl ends with the same words.
A stay is ADT^A01, ADT^A03 and DFT^P03. Registrations come first: ADT^A04, and for a quarter of the patients an ADT^A08 with the new address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import httpx
from canonical.money import Money

from sandbox.world.fhir_bundle import transaction_bundle
from sandbox.world.hl7_messages import hl7_messages
from sandbox.world.misbehaviour import Fault, Misbehaviour, Outbox
from sandbox.world.scenario import SimulatedEncounter, Wire

MLLP_START = b"\x0b"
MLLP_END = b"\x1c\x0d"
ACK_BYTES_MAX = 65_536
__all__ = ["Delivery", "DeliveryKind", "deliveries", "hl7_messages", "post_bundle", "send_mllp", "transaction_bundle"]


class DeliveryKind(StrEnum):
    """Through which door a delivery goes."""

    BUNDLE = "bundle"
    MLLP = "mllp"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to send: a bundle, or the messages of one encounter in order on one connection."""

    kind: DeliveryKind
    visit_number: str
    source: str
    messages: tuple[bytes, ...]


def deliveries(encounters: Iterable[SimulatedEncounter], misbehaviour: Misbehaviour | None = None) -> list[Delivery]:
    """What the EHR sends for these encounters, in order.

    Faults by target `bundle` or `mllp`: DUPLICATE (sent again), DELAY (sent after all others), CORRUPT_ONE_CENT (sent
    again under the same ids, its first charge one cent higher); REORDER turns the whole order round.
    """
    faults = misbehaviour or Misbehaviour()
    outbox: Outbox[Delivery] = Outbox(faults)
    for encounter in encounters:
        delivery = delivery_of(encounter)
        outbox.put(delivery, delivery.kind)
        if faults.strike(Fault.CORRUPT_ONE_CENT, delivery.kind):
            outbox.put(delivery_of(_one_cent_off(encounter)), delivery.kind)
    leaving = outbox.due()
    while outbox.waiting_count:
        leaving += outbox.due()
    return leaving


def delivery_of(encounter: SimulatedEncounter) -> Delivery:
    """The messages of one encounter in its own format."""
    if encounter.wire is Wire.FHIR:
        bundle = transaction_bundle(encounter)
        return Delivery(DeliveryKind.BUNDLE, encounter.visit_number, encounter.source, (bundle,))
    return Delivery(DeliveryKind.MLLP, encounter.visit_number, encounter.source, hl7_messages(encounter))


def _one_cent_off(encounter: SimulatedEncounter) -> SimulatedEncounter:
    first, *rest = encounter.charges
    return replace(encounter, charges=(replace(first, amount=first.amount + Money(1)), *rest))


def post_bundle(url: str, token: str, bundle: bytes, *, timeout_seconds: int = 10) -> httpx.Response:
    """Post one bundle with a bearer token; the answer comes back whatever its status.

    Raises:
        httpx.TransportError: nobody answered in time.
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    return httpx.post(url, content=bundle, headers=headers, timeout=timeout_seconds)


async def send_mllp(host: str, port: int, messages: Sequence[bytes], *, timeout_seconds: int = 10) -> list[bytes]:
    """Send messages one after the other on one connection, each after the reply to the one before.

    Returns the acknowledgements without their framing.

    Raises:
        TimeoutError: no acknowledgement in time.
        asyncio.IncompleteReadError: the connection ended instead.
    """
    reader, writer = await asyncio.open_connection(host, port, limit=ACK_BYTES_MAX)
    acknowledgements = []
    try:
        for message in messages:
            writer.write(MLLP_START + message + MLLP_END)
            await writer.drain()
            reply = await asyncio.wait_for(reader.readuntil(MLLP_END), timeout_seconds)
            acknowledgements.append(reply.removeprefix(MLLP_START).removesuffix(MLLP_END))
    finally:
        writer.close()
    return acknowledgements
