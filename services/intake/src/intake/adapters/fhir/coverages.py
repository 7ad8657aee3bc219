"""Coverages in the order in which they pay: by Claim.insurance, Account.coverage, Coverage.order, or as they stand."""

from __future__ import annotations

from canonical.party import CoverageDetails

from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.resources import Entry, code_in
from intake.domain.facts import NOWHERE, CoverageSeen, Fact, Link
from intake.domain.next_coverage import FIRST_RANK, RANKS_MAX

SELF_PAY_TYPES = ("SELFPAY", "pay", "self-pay")
RELATIONSHIPS = {"self": "self", "spouse": "01", "child": "19", "other": "G8", "parent": "32"}
PLAN_CHARACTERS_MAX = 50


def coverage_facts(message: FhirMessage, encounters: list[Link]) -> list[Fact]:
    """Every coverage of the message, for each of its encounters, or for the patient where it has none."""
    facts: list[Fact] = []
    for rank, entry in _ranked(message):
        if entry.resource.status != "active":
            message.find(f"{entry.place}.status", "coverage-status", "only active coverage is taken")
        payer, details = _coverage(entry, message)
        beneficiary = message.references.link(entry.resource.beneficiary)
        facts += [
            CoverageSeen(entry.place, beneficiary, each, payer, details, rank) for each in encounters or [NOWHERE]
        ]
    return facts


def _ranked(message: FhirMessage) -> list[tuple[int, Entry]]:
    """Each coverage with its rank, in their order."""
    coverages = message.all_of("Coverage")
    if not coverages:
        return []
    told = _told_elsewhere(message)
    ranks = [told.get(entry.reference) or told.get(entry.full_url) or entry.resource.order or 0 for entry in coverages]
    if not any(ranks):
        return list(enumerate(coverages, FIRST_RANK))
    ranked = sorted(((rank or FIRST_RANK, entry) for rank, entry in zip(ranks, coverages, strict=True)), key=_rank)
    known = [rank for rank, _ in ranked]
    if len(set(known)) < len(known) or max(known) > RANKS_MAX:
        note = f"one coverage for each order from 1 to {RANKS_MAX}"
        message.find(f"{coverages[0].place}.order", "coverage-order", note)
    return ranked


def _rank(ranked: tuple[int, Entry]) -> int:
    return ranked[0]


def _told_elsewhere(message: FhirMessage) -> dict[str, int]:
    """Rank by reference, as an Account or a Claim of the message tells it; the claim knows best."""
    told = {}
    for account in message.of("Account"):
        for number, each in enumerate(account.resource.coverage or (), FIRST_RANK):
            told[str(each.coverage.reference or "")] = each.priority or number
    for claim in message.of("Claim"):
        for each in claim.resource.insurance or ():
            told[str(each.coverage.reference or "")] = each.sequence
    return {reference: rank for reference, rank in told.items() if reference}


def _coverage(entry: Entry, message: FhirMessage) -> tuple[Link, CoverageDetails | None]:
    coverage = entry.resource
    if code_in(coverage.type) in SELF_PAY_TYPES:
        return NOWHERE, None
    payer = message.references.link(next(iter(coverage.payor or ()), None))
    if payer.is_empty:
        message.need(f"{entry.place}.payor[0]", "the payer")
    classes = {code_in(each.type): str(each.value or "") for each in coverage.class_fhir or ()}
    details = CoverageDetails(
        member_id=str(coverage.subscriberId or ""),
        group_number=classes.get("group", ""),
        plan=classes.get("plan", "")[:PLAN_CHARACTERS_MAX],
        relationship=RELATIONSHIPS.get(code_in(coverage.relationship) or "self", "G8"),
    )
    return payer, details
