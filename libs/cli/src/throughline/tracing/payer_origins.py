"""The facts behind what payers move: decisions, reversals, matches, provider-level adjustments, and the ends of denials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from canonical.money import Money

from throughline.checker.expected import ADJUSTMENT_ACCOUNTS, PRIOR_PAYER, SEQUESTRATION
from throughline.tracing import identities
from throughline.tracing.books import Books, State
from throughline.tracing.origins import Origin, amounts_of_decision, equation_of_decision, mirrored
from throughline.tracing.records import NOTHING, Decision, Part, Remittance
from throughline.tracing.stored_facts import (
    OriginMissing,
    StoredFacts,
    mapping_in,
    mappings_in,
    money_in,
    number_in,
    span_in,
)
from throughline.wire import amount_text

ADJUDICATED = "claims.claim.adjudicated"
OTHER_ADJUSTMENTS = "provider-adjustments"
MATCHES_MAX = 100


class PayerOrigins:
    """The origins of the parts of remittances, matches and denials."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._facts = StoredFacts(books)

    @property
    def finders(self) -> Mapping[str, Callable[[Part, str], Origin]]:
        """By the kind of the journal entry."""
        return {
            "remittance": self._of_remittance,
            "claim-match": self._of_match,
            "denial-release": self._of_denial,
            "denial-write-off": self._of_denial,
        }

    def _of_remittance(self, part: Part, entity: str) -> Origin:
        if part.adjustment >= 0:
            return self._of_adjustment(part)
        if not part.claim_id:
            return self._told(part, self._books.unknown_payment(part.item_id, part.position))
        known = self._books.decision(part.item_id, part.position)
        return self._told(part, decided(self._books, part.claim_id, part.item_id, part.position, 0) or known)

    def _of_match(self, part: Part, entity: str) -> Origin:
        for match in range(1, MATCHES_MAX):
            if identities.match_posting(part.item_id, part.position, match) == part.posting_id:
                return self._told(part, decided(self._books, part.claim_id, part.item_id, part.position, match))
        raise OriginMissing(f"remittance {part.item_id}, position {part.position} has no such match")

    def _told(self, part: Part, decision: Decision | None) -> Origin:
        remittance = self._books.remittance(part.item_id)
        if decision is None or remittance is None:
            raise OriginMissing(
                f"remittance {part.item_id}, position {part.position} is not known to claims and payments"
            )
        told = [
            f"{_claim_words(decision)}: {equation_of_decision(decision)}",
            f"{_remittance_words(remittance)} for {remittance.claim_count} claims, position {decision.position}",
        ]
        if decision.takes_back:
            told.append(f"takes back {decision.takes_back}")
        if decision.match:
            told.append(f"match {decision.match} of a payment that came as unapplied cash")
        estimate = self._estimate(decision.claim_id) if decision.releases_estimate else NOTHING
        if estimate:
            told.append(f"first decision: releases the {amount_text(estimate)} expected when it was charged")
        unmatched = decision.kind == "unmatched"
        return Origin(
            event="ClaimAdjudicated" if decision.claim_id else "ClaimPaymentUnknown",
            service="claims",
            story=tuple(told),
            amounts=amounts_of_decision(decision, estimate),
            equation=equation_of_decision(decision),
            equation_holds=decision.adds_up,
            places=self._facts.places("intake", [remittance.message_id], decision.span_start, decision.span_length),
            claim_amounts=None if unmatched else (decision.charge if decision.claim_id else None, decision.paid),
        )

    def _estimate(self, claim_id: str) -> Money:
        """The J03 amount that was booked with the charges of a claim."""
        found = self._books.claim(claim_id) if claim_id else None
        if found is None:
            return NOTHING
        claim, _ = found
        return self._facts.estimate_in(identities.charge_posting(claim.encounter_id, claim.posting))

    def _of_adjustment(self, part: Part) -> Origin:
        """J12 and J13: one pair of a PLB segment."""
        remittance = self._books.remittance(part.item_id)
        accepted = self._facts.state("payments", part.item_id, "payments.remittance.accepted")
        pairs = mappings_in(mapping_in(accepted.get("summary")).get("provider_adjustments"))
        if remittance is None or part.adjustment >= len(pairs):
            raise OriginMissing(f"remittance {part.item_id} has no provider-level adjustment {part.adjustment}")
        pair = pairs[part.adjustment]
        code, amount = str(pair["reason"]), money_in(pair["amount"])
        start, length = span_in(pair)
        reference = f" of {pair['reference']}" if pair.get("reference") else ""
        lowered = "lowered" if amount.minor > 0 else "raised"
        return Origin(
            event="RemittanceAccepted",
            service="payments",
            story=(
                f"provider-level adjustment {part.adjustment}, {code}{reference} for provider {pair.get('provider')}: "
                f"{amount_text(amount)}, which {lowered} the payment",
                _remittance_words(remittance),
            ),
            amounts=mirrored(ADJUSTMENT_ACCOUNTS.get(code, OTHER_ADJUSTMENTS), "eft-clearing", amount),
            equation=f"PLB {code} {amount_text(amount)}",
            equation_holds=True,
            places=self._facts.places("intake", [remittance.message_id], start, length),
            adjustment=(code, amount) if length else None,
        )

    def _of_denial(self, part: Part, entity: str) -> Origin:
        """J09 the other way, and J10, with the bytes of the last decision before it."""
        last: State = {}
        for topic, state in self._books.events("claims", part.item_id):
            if topic == ADJUDICATED:
                last = state
            for kind, wanted, number in DENIAL_ENDS:
                if topic == wanted and part.posting_id == identities.denial_posting(
                    kind, part.item_id, number_in(state.get(number))
                ):
                    return self._denial_ended(kind, state, last)
        raise OriginMissing(f"claim {part.item_id} has no such end of a denial")

    def _denial_ended(self, kind: str, state: State, last: State) -> Origin:
        amount = money_in(state["amount"])
        decision = mapping_in(last.get("decision"))
        remittance = self._books.remittance(str(decision.get("remittance_id", "")))
        debit = "denial-write-off" if kind == "denial-write-off" else "ar-payer"
        approved = f", approved by {state['approved_by']}" if state.get("approved_by") else ""
        reason = f": {state['reason']}" if state.get("reason") else ""
        start, length = span_in(decision)
        return Origin(
            event="DenialWrittenOff" if kind == "denial-write-off" else "DenialReleased",
            service="claims",
            story=(f"{amount_text(amount)} of what {state.get('payer')} denied{reason}{approved}",),
            amounts=mirrored(debit, "ar-payer-denied", amount),
            equation=f"denied {amount_text(amount)}",
            equation_holds=True,
            places=self._facts.places("intake", [remittance.message_id], start, length) if remittance else (),
        )


DENIAL_ENDS = (
    ("denial-release", "claims.claim.denial-released", "release"),
    ("denial-write-off", "claims.claim.denial-written-off", "write_off"),
)
"""Kind of the entry, topic of the event, and what it counts them by."""


def decided(books: Books, claim_id: str, remittance_id: str, position: int, match: int) -> Decision | None:
    """A decision from the history of its claim, which also keeps what was unmatched, and every single adjustment."""
    found = books.claim(claim_id)
    for topic, state in books.events("claims", claim_id) if found else ():
        decision = mapping_in(state.get("decision"))
        place = (decision.get("remittance_id"), decision.get("position"), number_in(state.get("match")))
        if topic == ADJUDICATED and place == (remittance_id, position, match):
            number = found[0].control_number if found else ""
            return replace(_decision(state, decision), claim_id=claim_id, control_number=number)
    return None


def _decision(state: State, decision: State) -> Decision:
    shares = mapping_in(state.get("shares"))
    adjustments = mappings_in(decision.get("adjustments"))
    by_reason = {
        wanted: Money.total(money_in(each["amount"]) for each in adjustments if _reason(each) == wanted)
        for wanted in (SEQUESTRATION, PRIOR_PAYER)
    }
    start, length = span_in(decision)
    return Decision(
        remittance_id=str(decision["remittance_id"]),
        position=number_in(decision["position"]),
        claim_id="",
        control_number="",
        first=bool(state.get("first")),
        charge=money_in(decision["charge"]),
        paid=money_in(decision["paid"]),
        contractual=money_in(shares["contractual"]),
        denied=money_in(shares["denied"]),
        patient=money_in(shares["patient"]),
        other=money_in(shares["other"]),
        span_start=start,
        span_length=length,
        kind=str(state.get("kind") or "decision"),
        match=number_in(state.get("match")),
        sequence=number_in(state.get("sequence") or 1),
        next_payer=str(state.get("next_payer") or ""),
        sequestration=by_reason[SEQUESTRATION],
        memo=by_reason[PRIOR_PAYER],
        takes_back=_taken_back(state),
    )


def _taken_back(state: State) -> str:
    """The decisions that a reversal takes back, in words; empty for anything else."""
    if not state.get("reverses_remittance_id"):
        return ""
    first = {"remittance_id": state["reverses_remittance_id"], "position": state.get("reverses_position")}
    places = [first, *mappings_in(state.get("reverses_also"))]
    told = " and ".join(
        f"remittance {place.get('remittance_id')}, position {place.get('position')}" for place in places
    )
    return f"a part of {told}" if state.get("partial") else told


def _reason(adjustment: State) -> str:
    return f"{adjustment.get('group')}-{adjustment.get('reason')}"


def _claim_words(decision: Decision) -> str:
    number = decision.control_number
    return f"claim {number} ({decision.claim_id})" if decision.claim_id else f"control number {number}"


def _remittance_words(remittance: Remittance) -> str:
    return (
        f"remittance {remittance.remittance_id} of {remittance.payer}, trace number {remittance.trace_number}, "
        f"{amount_text(remittance.payment)}"
    )
