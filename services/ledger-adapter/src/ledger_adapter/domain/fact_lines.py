"""From each financial fact to its lines, by the posting rules; pure functions that refuse what does not add up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from canonical.codes import AccountRole, AdjustmentGroup, PayerClass
from canonical.events.claims import (
    ClaimAdjudicated,
    ClaimPaymentUnknown,
    ClaimRevised,
    DenialReleased,
    DenialWrittenOff,
)
from canonical.events.intake import ChargesRevised, PostedCharges
from canonical.events.payments import (
    DepositMatched,
    DepositUnidentified,
    PatientPaymentSucceeded,
    PaymentApplied,
    PayoutPaid,
)
from canonical.journal import LedgerLine
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, ProviderAdjustment, RemittanceSummary
from chassis.domain import Refusal

from ledger_adapter.domain.posting_rules import (
    NOWHERE,
    PATIENT_ACCOUNTS,
    PAYER_ACCOUNTS,
    REVERSAL_CODE,
    REVISED_CODE,
    Dimensions,
    Fact,
    Place,
    booked,
    fact_of_adjustment,
    pair,
    rule_of_provider_adjustment,
)
from ledger_adapter.domain.site_rules import NO_SITE_RULES, SiteRules
from ledger_adapter.domain.subledger import PostedLine

REVERSAL, UNMATCHED = "reversal", "unmatched"
FRONT_DESK = "front-desk"
DECIDED = frozenset({"decision", "correction"})
CASH_OF_PAYERS = frozenset({AccountRole.EFT_CLEARING, AccountRole.UNAPPLIED_PAYER})


class FactDoesNotAddUp(Refusal):
    """The parts of a fact differ from its whole, so no set of lines could be right."""


def expected_contractual(total: Money, percent: int) -> Money:
    """What of a gross charge the payer's contract is expected to take off.

    The half cent goes to the even cent, so that many estimates do not drift one way; the first adjudication releases
    exactly what was booked here, so the rounding never reaches the receivable.
    """
    return total.share_half_even(percent, 100)


CostCenterOf = Callable[[str], str]
"""The cost center of a department on the day of service; empty where it has none."""


def no_cost_center(_department: str) -> str:
    """For entities that keep none."""
    return ""


def lines_for_charges(
    event: PostedCharges, expected_percent: int, cost_center_of: CostCenterOf = no_cost_center
) -> tuple[LedgerLine, ...]:
    """J01 by department, and J03 on the whole for a payer. Self-pay is owed by the patient and has no estimate.

    Raises:
        FactDoesNotAddUp: the charges are not the total.
    """
    if Money.total(charge.amount for charge in event.charges) != event.total:
        raise FactDoesNotAddUp(f"encounter {event.encounter_id}: the charges do not add up to {event.total}")
    departments: dict[str, Money] = {}
    for charge in event.charges:
        departments[charge.department] = departments.get(charge.department, Money(0)) + charge.amount
    fact = Fact.CHARGE_TO_PAYER if event.payer else Fact.CHARGE_TO_PATIENT
    lines: list[LedgerLine] = []
    for department, amount in departments.items():
        lines.extend(booked(fact, amount, _dimensions_of_encounter(event, department, cost_center_of(department))))
    if event.payer:
        estimate = expected_contractual(event.total, expected_percent)
        only = next(iter(departments)) if len(departments) == 1 else ""
        dimensions = _dimensions_of_encounter(event, only, cost_center_of(only))
        lines.extend(booked(Fact.CONTRACTUAL_EXPECTED, estimate, dimensions))
    return tuple(lines)


def _dimensions_of_encounter(event: PostedCharges, department: str = "", cost_center: str = "") -> Dimensions:
    return Dimensions(
        entity=event.entity,
        payer=event.payer,
        payer_class=event.payer_class.value if event.payer else PayerClass.SELF_PAY.value,
        place=Place(department, cost_center, event.location),
        encounter_id=event.encounter_id,
        patient_id=event.patient_id,
    )


def lines_for_revision(
    event: ChargesRevised,
    expected_percent: int,
    charged: Iterable[PostedLine],
    cost_center_of: CostCenterOf = no_cost_center,
) -> tuple[LedgerLine, ...]:
    """J02: the exact mirror of what was booked of the posting before, and J01 and J03 of what it says now.

    Nothing where that would book the same again: what was done changed, or why, and no amount.

    Raises:
        FactDoesNotAddUp: what was booked is not what the posting said before.
    """
    mirror = tuple(
        LedgerLine(
            account=line.account,
            amount=-line.amount,
            party=line.party,
            payer_class=line.payer_class or _dimensions_of_encounter(event).payer_class,
            department=line.department,
            cost_center=line.cost_center,
            location=line.location,
            rule=REVISED_CODE,
            encounter_id=event.encounter_id,
            patient_id=event.patient_id,
        )
        for line in charged
    )
    owed = Money.total(line.amount for line in mirror if line.account in PAYER_ACCOUNTS | PATIENT_ACCOUNTS)
    if owed != -event.previous_total:
        raise FactDoesNotAddUp(f"encounter {event.encounter_id}: {-owed} was booked, it said {event.previous_total}")
    now = lines_for_charges(event, expected_percent, cost_center_of)
    return mirror + now if _moves_anything(mirror + now) else ()


def _moves_anything(lines: Iterable[LedgerLine]) -> bool:
    """Whether any account, party, payer class, department, cost center and location has more or less by them."""
    sums: dict[tuple[AccountRole, str, str, str, str, str], int] = {}
    for line in lines:
        place = (line.account, line.party, line.payer_class, line.department, line.cost_center, line.location)
        sums[place] = sums.get(place, 0) + line.amount.minor
    return any(sums.values())


def lines_for_revised_claim(event: ClaimRevised, estimate: Money) -> tuple[LedgerLine, ...]:
    """J05: a claim that was decided on before has no estimate, so what the revision changed of it is released."""
    return booked(Fact.EXPECTATION_RELEASED, estimate, _dimensions_of_claim(event))


def lines_for_adjudication(
    event: ClaimAdjudicated,
    estimate: Money,
    contractual_reasons: Collection[str],
    place: Place = NOWHERE,
    site_rules: SiteRules = NO_SITE_RULES,
) -> tuple[LedgerLine, ...]:
    """J04 to J09 of one payer decision; a primary claim's first one also releases the claim's J03 `estimate`.

    What would be the patient's is owed by the next payer where there is one. A payment that was matched takes its cash
    from where J26 left it. Negative amounts book the mirror, and all lines of a reversal name J11; where the posting of
    what it takes back is known, `lines_that_take_back` says them better. Adjustments of one meaning are one pair of lines.

    Raises:
        UnmappedAdjustment: see `fact_of_adjustment`; a zero adjustment books nothing and needs no rule.
        FactDoesNotAddUp: charge minus adjustments is not what was paid.
    """
    if event.charge - Money.total(cas.amount for cas in event.adjustments) != event.paid:
        raise FactDoesNotAddUp(f"claim {event.claim_id}: charge minus adjustments is not the payment of {event.paid}")
    amounts: dict[Fact, Money] = {}
    if event.first and event.sequence == 1 and event.kind in DECIDED:
        amounts[Fact.EXPECTATION_RELEASED] = estimate
    amounts[Fact.MATCHED_CLAIM_PAID if event.match else Fact.CLAIM_PAID] = event.paid
    decided = event.kind in DECIDED
    for adjustment in _by_reason(event.adjustments, 1 if decided else -1):
        fact = fact_of_adjustment(adjustment, contractual_reasons, site_rules.on(event.service_from))
        if fact is Fact.PATIENT_SHARE and event.next_payer:
            fact = Fact.NEXT_PAYER_SHARE
        amounts[fact] = amounts.get(fact, Money(0)) + (adjustment.amount if decided else -adjustment.amount)
    dimensions = _dimensions_of_claim(event, place)
    code = REVERSAL_CODE if event.kind == REVERSAL else ""
    return tuple(
        line
        for fact, amount in amounts.items()
        for line in booked(fact, amount, dimensions, code=code, debited=_debited(fact, event, dimensions))
    )


def _by_reason(adjustments: Iterable[ClaimAdjustment], sign: int) -> Iterator[ClaimAdjustment]:
    """The sum of each group and reason that comes to something, as its decision had it: what takes back is turned around."""
    sums: dict[tuple[AdjustmentGroup, str], int] = {}
    for each in adjustments:
        key = (each.group, each.reason)
        sums[key] = sums.get(key, 0) + each.amount.minor * sign
    for (group, reason), minor in sums.items():
        if minor:
            yield ClaimAdjustment.trusted(group=group, reason=reason, amount=Money(minor))


def lines_that_take_back(event: ClaimAdjudicated, decided: Iterable[PostedLine]) -> tuple[LedgerLine, ...]:
    """J11, or an unmatching: the mirror of what was booked, whatever today's rules and master data would book.

    The cash is that of the event: from the remittance that brings it, or unapplied where it is a match.

    Raises:
        FactDoesNotAddUp: what was booked is not what is taken back.
    """
    cash_account = AccountRole.UNAPPLIED_PAYER if event.match else AccountRole.EFT_CLEARING
    dimensions = _dimensions_of_claim(event)
    lines = tuple(
        LedgerLine(
            account=cash_account if line.account in CASH_OF_PAYERS else line.account,
            amount=-line.amount,
            party=line.party,
            payer_class=line.payer_class or dimensions.payer_class,
            department=line.department,
            cost_center=line.cost_center,
            location=line.location,
            rule=REVERSAL_CODE if event.kind == REVERSAL else line.rule,
            claim_id=event.claim_id,
            encounter_id=event.encounter_id,
            patient_id=event.patient_id,
        )
        for line in decided
    )
    if Money.total(line.amount for line in lines if line.account is cash_account) != event.paid:
        raise FactDoesNotAddUp(f"claim {event.claim_id}: {event.paid} takes back another payment than was booked")
    return lines


def _debited(fact: Fact, event: ClaimAdjudicated, dimensions: Dimensions) -> Dimensions | None:
    """Whose the debit is, where it is not the deciding payer's."""
    if fact is not Fact.NEXT_PAYER_SHARE:
        return None
    payer_class = event.next_payer_class.value if event.next_payer_class else ""
    return replace(dimensions, payer=event.next_payer, payer_class=payer_class)


def _dimensions_of_claim(
    event: ClaimAdjudicated | ClaimRevised | DenialReleased | DenialWrittenOff, place: Place = NOWHERE
) -> Dimensions:
    return Dimensions(
        entity=event.entity,
        payer=event.payer,
        payer_class=event.payer_class.value,
        place=place,
        claim_id=event.claim_id,
        encounter_id=event.encounter_id,
        patient_id=event.patient_id,
    )


def lines_for_denial_released(event: DenialReleased) -> tuple[LedgerLine, ...]:
    """J09 the other way: the amount is open again, for a later decision covers it."""
    return booked(Fact.DENIAL_RELEASED, event.amount, _dimensions_of_claim(event))


def lines_for_denial_written_off(event: DenialWrittenOff) -> tuple[LedgerLine, ...]:
    """J10."""
    return booked(Fact.DENIAL_WRITTEN_OFF, event.amount, _dimensions_of_claim(event))


def lines_for_unknown_claim(event: ClaimPaymentUnknown) -> tuple[LedgerLine, ...]:
    """J26: the cash stays visible as unapplied until a person finds the claim."""
    return booked(Fact.UNKNOWN_CLAIM_PAID, event.paid, Dimensions(event.entity, payer=event.payer))


def lines_for_provider_adjustment(adjustment: ProviderAdjustment, summary: RemittanceSummary) -> tuple[LedgerLine, ...]:
    """J12 or J13 by the sign; nothing for a zero amount, whatever its code.

    Raises:
        UnmappedProviderAdjustment: see `rule_of_provider_adjustment`.
    """
    if not adjustment.amount:
        return ()
    rule = rule_of_provider_adjustment(adjustment.reason, adjustment.amount)
    return pair(rule, adjustment.amount, Dimensions(summary.entity, payer=summary.payer_id))


def lines_for_deposit(event: DepositMatched) -> tuple[LedgerLine, ...]:
    """J14: what the remittance promised is in the bank; J27 where it had been booked there as nobody's."""
    fact = Fact.UNIDENTIFIED_MATCHED if event.was_unidentified else Fact.DEPOSIT_MATCHED
    return booked(fact, event.amount, Dimensions(event.entity))


def lines_for_unidentified_deposit(event: DepositUnidentified) -> tuple[LedgerLine, ...]:
    """J27: it is in the bank, and nobody knows whose it is."""
    return booked(Fact.DEPOSIT_UNIDENTIFIED, event.amount, Dimensions(event.entity))


def lines_for_patient_payment(event: PatientPaymentSucceeded) -> tuple[LedgerLine, ...]:
    """J15: what could be applied pays the patient's balance, the rest stays unapplied."""
    dimensions = Dimensions(event.entity, payer_class=PayerClass.SELF_PAY.value, patient_id=event.patient_id)
    applied, unapplied = Fact.PATIENT_PAID, Fact.PATIENT_PAID_UNAPPLIED
    if event.channel == FRONT_DESK:
        applied, unapplied = Fact.PAID_AT_FRONT_DESK, Fact.PAID_AT_FRONT_DESK_UNAPPLIED
    return booked(applied, event.applied, dimensions) + booked(unapplied, event.unapplied, dimensions)


def lines_for_application(event: PaymentApplied) -> tuple[LedgerLine, ...]:
    """J16: cash that was unapplied now pays the patient's balance."""
    dimensions = Dimensions(event.entity, payer_class=PayerClass.SELF_PAY.value, patient_id=event.patient_id)
    return booked(Fact.UNAPPLIED_APPLIED, event.amount, dimensions)


def lines_for_payout(event: PayoutPaid) -> tuple[LedgerLine, ...]:
    """J17: the bank has the net, the gateway kept its fees.

    Raises:
        FactDoesNotAddUp: gross minus fees is not the net.
    """
    if event.gross - event.fees != event.net:
        raise FactDoesNotAddUp(f"payout {event.payout_id}: {event.gross} minus fees {event.fees} is not {event.net}")
    dimensions = Dimensions(event.entity)
    return booked(Fact.PAYOUT_RECEIVED, event.net, dimensions) + booked(Fact.PAYOUT_FEES, event.fees, dimensions)
