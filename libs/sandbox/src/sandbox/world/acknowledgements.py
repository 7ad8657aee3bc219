"""What a receiver answers to an 837: TA1 for the envelope, 999 for the sets, 277CA for each claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.master_data import Payer
from canonical.money import Money

from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.x12_claims import ReceivedGroup, ReceivedInterchange, ReceivedSet
from sandbox.world.x12_writing import (
    Route,
    TransactionSet,
    amount_text,
    day_text,
    interchange,
    interchange_without_group,
    segment,
)

VERSION_999 = "005010X231A1"
VERSION_277CA = "005010X214"
ACCEPTED = "A2:20:PR"


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What becomes of one claim at the door: `status` is an STC01 composite, accepted ones get a control number."""

    claim: ReceivedClaim
    accepted: bool
    status: str
    payer_control_number: str = ""


def interchange_acknowledgement(route: Route, received: ReceivedInterchange, fault: str) -> bytes:
    """A TA1: accepted when `fault` is empty, else rejected with that note code (TA105)."""
    ta1 = segment("TA1", received.control_number, received.date, received.time, "R" if fault else "A", fault or "000")
    return interchange_without_group(route, [ta1])


def rejected_set_fault(group: ReceivedGroup, received: ReceivedSet, reject: bool) -> str:
    """The IK502 code that refuses this set, or empty."""
    if reject:
        return "5"
    return received.fault or ("3" if group.fault else "")


def implementation_acknowledgement(route: Route, group: ReceivedGroup, reject: bool) -> bytes:
    """A 999 for one group: each set accepted, or rejected for wrong counts, control numbers, or because told to."""
    faults = [rejected_set_fault(group, each, reject) for each in group.sets]
    segments = [segment("AK1", group.functional_id, group.control_number, group.version)]
    for each, fault in zip(group.sets, faults, strict=True):
        segments.append(segment("AK2", each.code, each.control_number, each.reference))
        segments.append(segment("IK5", "R" if fault else "A", fault))
    accepted = faults.count("")
    verdict = "A" if accepted == len(faults) else "P" if accepted else "R"
    counts = (str(len(faults)), str(len(faults)), str(accepted))
    segments.append(segment("AK9", verdict, *counts, group.fault))
    return interchange(route, "FA", VERSION_999, [TransactionSet("999", VERSION_999, segments)])


def claim_acknowledgement(
    route: Route, received: ReceivedSet, payer: Payer | None, verdicts: Sequence[ClaimVerdict]
) -> bytes:
    """A 277CA for one accepted set: totals for the submitter, then every claim under its billing provider."""
    segments = [
        segment(
            "BHT", "0085", "08", f"{route.control_number:09d}", day_text(route.moment), f"{route.moment:%H%M}", "TH"
        ),
        *_source_and_submitter(route, received, payer, verdicts),
    ]
    level = 2
    providers: dict[str, list[ClaimVerdict]] = {}
    for verdict in verdicts:
        providers.setdefault(verdict.claim.billing_npi, []).append(verdict)
    for npi, own in providers.items():
        level += 1
        provider_level = level
        segments += [
            segment("HL", str(level), "2", "19", "1"),
            segment("NM1", "85", "2", "BILLING PROVIDER", "", "", "", "", "XX", npi),
            segment("TRN", "1", "0"),
            _summary(own, ""),
            *_totals(own, "QA", "QC"),
        ]
        for verdict in own:
            level += 1
            segments += _claim(level, provider_level, verdict, route.moment)
    return interchange(route, "HN", VERSION_277CA, [TransactionSet("277", VERSION_277CA, segments)])


def _source_and_submitter(
    route: Route, received: ReceivedSet, payer: Payer | None, verdicts: Sequence[ClaimVerdict]
) -> Iterator[str]:
    today = day_text(route.moment)
    name = ("PR", payer.name, "PI", payer.x12_identifier) if payer else ("AY", "SANDBOX CLEARINGHOUSE", "46", "SBXCH")
    yield segment("HL", "1", "", "20", "1")
    yield segment("NM1", name[0], "2", name[1], "", "", "", "", name[2], name[3])
    yield segment("TRN", "1", f"{route.control_number:09d}")
    yield segment("DTP", "050", "D8", today)
    yield segment("DTP", "009", "D8", today)
    yield segment("HL", "2", "1", "21", "1")
    yield segment("NM1", "41", "2", "SUBMITTER", "", "", "", "", "46", route.receiver)
    yield segment("TRN", "2", received.submitter_reference or received.control_number)
    yield _summary(verdicts, today)
    yield from _totals(verdicts, "90", "AA")


def _summary(verdicts: Sequence[ClaimVerdict], day: str) -> str:
    action = "WQ" if any(verdict.accepted for verdict in verdicts) else "U"
    total = Money.total(verdict.claim.charge for verdict in verdicts)
    return segment("STC", "A1:19:PR", day, action, amount_text(total))


def _totals(verdicts: Sequence[ClaimVerdict], accepted_code: str, rejected_code: str) -> Iterator[str]:
    """Counts and amounts of accepted and rejected claims, each where there are any."""
    accepted = [verdict.claim.charge for verdict in verdicts if verdict.accepted]
    rejected = [verdict.claim.charge for verdict in verdicts if not verdict.accepted]
    if accepted:
        yield segment("QTY", accepted_code, str(len(accepted)))
    if rejected:
        yield segment("QTY", rejected_code, str(len(rejected)))
    if accepted:
        yield segment("AMT", "YU", amount_text(Money.total(accepted)))
    if rejected:
        yield segment("AMT", "YY", amount_text(Money.total(rejected)))


def _claim(level: int, parent: int, verdict: ClaimVerdict, moment: datetime) -> Iterator[str]:
    claim = verdict.claim
    member = claim.member_id or "UNKNOWN"
    yield segment("HL", str(level), str(parent), "PT")
    yield segment("NM1", "QC", "1", claim.family_name, claim.given_name, "", "", "", "MI", member)
    yield segment("TRN", "2", claim.patient_control_number)
    action = "WQ" if verdict.accepted else "U"
    yield segment("STC", verdict.status, day_text(moment), action, amount_text(claim.charge))
    if verdict.payer_control_number:
        yield segment("REF", "1K", verdict.payer_control_number)
    if claim.service_from:
        yield segment("DTP", "472", "D8", claim.service_from)
