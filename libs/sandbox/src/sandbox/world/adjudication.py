"""How a payer decides a claim: a seeded rule set whose every line, claim and remittance adds up to the cent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from canonical.codes import AdjustmentGroup, PayerClass
from canonical.master_data import Payer
from canonical.money import Money

from sandbox.world.dice import Dice
from sandbox.world.received_claims import Adjustment, ReceivedClaim, ReceivedLine

SEQUESTRATION = "253"
DENIAL_REASONS = ("50", "197")


@dataclass(frozen=True, slots=True)
class PayerRules:
    """How often what happens, in percent of claims; a contractual rate lies up to `noise_percent` off the contract's.

    A stay is paid by the case in `inpatient_case_percent`: as a whole, without lines, and otherwise line by line.
    `sequestration_percent` is what Medicare keeps back of each payment (CO-253).
    """

    rejected_percent: int = 2
    denied_percent: int = 8
    full_payment_percent: int = 8
    noise_percent: int = 3
    claim_level_percent: int = 5
    inpatient_case_percent: int = 60
    copay_minor: int = 25_00
    deductible_minor_min: int = 10_00
    deductible_minor_max: int = 150_00
    coinsurance_percent: int = 20
    sequestration_percent: int = 0


@dataclass(frozen=True, slots=True)
class LineDecision:
    """`line.charge - sum(adjustments) == paid`."""

    line: ReceivedLine
    paid: Money
    allowed: Money
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """`charge - sum(all adjustments) == paid`; `status` is CLP02."""

    claim: ReceivedClaim
    status: str
    lines: tuple[LineDecision, ...]
    claim_adjustments: tuple[Adjustment, ...] = ()

    @property
    def adjustments(self) -> tuple[Adjustment, ...]:
        return self.claim_adjustments + tuple(each for line in self.lines for each in line.adjustments)

    @property
    def paid(self) -> Money:
        return self.claim.charge - Money.total(each.amount for each in self.adjustments)

    def taken_off(self, group: AdjustmentGroup) -> Money:
        """The sum of this group's adjustments."""
        return Money.total(each.amount for each in self.adjustments if each.group is group)

    @property
    def patient_responsibility(self) -> Money:
        return self.taken_off(AdjustmentGroup.PATIENT)

    @property
    def contractual(self) -> Money:
        """What the contract takes off; a denial and the sequestration are CO too, and are not counted."""
        return Money.total(
            each.amount
            for each in self.adjustments
            if each.group is AdjustmentGroup.CONTRACTUAL and each.reason not in (*DENIAL_REASONS, SEQUESTRATION)
        )

    @property
    def sequestered(self) -> Money:
        return Money.total(each.amount for each in self.adjustments if each.reason == SEQUESTRATION)

    @property
    def denied(self) -> bool:
        return any(each.reason in DENIAL_REASONS for each in self.adjustments)


class _Share(StrEnum):
    NOTHING = "nothing"
    COPAY = "copay"
    DEDUCTIBLE = "deductible"
    COINSURANCE = "coinsurance"
    BOTH = "deductible and coinsurance"


_SHARES = (_Share.COPAY, _Share.COPAY, _Share.COINSURANCE, _Share.DEDUCTIBLE, _Share.BOTH, _Share.NOTHING)


def claim_dice(seed: int, purpose: str, claim: ReceivedClaim) -> Dice:
    """Draws for one claim: they hang on whose claim it is and its charge, not on dates or the biller's numbers."""
    return Dice(seed, purpose, claim.payer_identifier, claim.member_id, claim.charge.minor)


def adjudicate(claim: ReceivedClaim, payer: Payer, seed: int, rules: PayerRules) -> Decision:
    """Decide one claim. The sums do not depend on the order of its lines."""
    dice = claim_dice(seed, "adjudication", claim)
    outcome = dice.below(100, "outcome")
    if outcome < rules.denied_percent:
        return denial(claim, dice.choice(DENIAL_REASONS, "reason"))
    return _kept_back(_payment(claim, payer, outcome, rules, dice), _sequestration_percent(payer, rules))


def _payment(claim: ReceivedClaim, payer: Payer, outcome: int, rules: PayerRules, dice: Dice) -> Decision:
    if outcome < rules.denied_percent + rules.full_payment_percent:
        return Decision(claim, "1", tuple(LineDecision(line, line.charge, line.charge, ()) for line in claim.lines))
    if claim.is_inpatient and dice.chance(rules.inpatient_case_percent, "by the case"):
        return _paid_by_the_case(claim, payer, rules, dice)
    lines = tuple(_contracted(line, _rate(payer, rules, dice)) for line in claim.lines)
    share = _Share.NOTHING if payer.payer_class is PayerClass.MEDICAID else dice.choice(_SHARES, "share")
    if share is _Share.COPAY and dice.chance(rules.claim_level_percent, "claim level"):
        return _with_copay_on_the_claim(claim, lines, Money(rules.copay_minor))
    return Decision(claim, "1", _with_patient_share(lines, share, rules, dice))


def _paid_by_the_case(claim: ReceivedClaim, payer: Payer, rules: PayerRules, dice: Dice) -> Decision:
    """One price for the whole stay (DRG): the contract's share and the patient's deductible stand at the claim."""
    contractual = claim.charge.share_half_even(_rate(payer, rules, dice), 10_000)
    taken_off = _adjusted(AdjustmentGroup.CONTRACTUAL, "45", contractual)
    if payer.payer_class is not PayerClass.MEDICAID:
        deductible = Money(dice.between(rules.deductible_minor_min, rules.deductible_minor_max, "deductible"))
        owed = min(deductible, claim.charge - contractual)
        taken_off += _adjusted(AdjustmentGroup.PATIENT, "1", owed)
    return Decision(claim, "1", (), taken_off)


def denial(claim: ReceivedClaim, reason: str) -> Decision:
    """Nothing is paid, and everything is taken off for this reason (CO)."""
    lines = tuple(
        LineDecision(line, Money(0), Money(0), _adjusted(AdjustmentGroup.CONTRACTUAL, reason, line.charge))
        for line in claim.lines
    )
    return Decision(claim, "4" if reason == "197" else "1", lines)


def contracted(claim: ReceivedClaim, payer: Payer, seed: int, rules: PayerRules) -> Decision:
    """What the contract allows, and nothing of it left to the patient."""
    rate = _rate(payer, rules, claim_dice(seed, "adjudication", claim))
    lines = tuple(_contracted(line, rate) for line in claim.lines)
    return _kept_back(Decision(claim, "1", lines), _sequestration_percent(payer, rules))


def _sequestration_percent(payer: Payer, rules: PayerRules) -> int:
    return rules.sequestration_percent if payer.payer_class is PayerClass.MEDICARE else 0


def _rate(payer: Payer, rules: PayerRules, dice: Dice) -> int:
    """What the contract takes off this claim, in hundredths of a percent."""
    noise = dice.between(-100 * rules.noise_percent, 100 * rules.noise_percent, "noise")
    return 100 * payer.expected_contractual_percent + noise


def _adjusted(group: AdjustmentGroup, reason: str, amount: Money) -> tuple[Adjustment, ...]:
    return (Adjustment(group, reason, amount),) if amount else ()


def _contracted(line: ReceivedLine, rate: int) -> LineDecision:
    contractual = line.charge.share_half_even(rate, 10_000)
    allowed = line.charge - contractual
    return LineDecision(line, allowed, allowed, _adjusted(AdjustmentGroup.CONTRACTUAL, "45", contractual))


def _with_copay_on_the_claim(claim: ReceivedClaim, lines: tuple[LineDecision, ...], copay: Money) -> Decision:
    owed = min(copay, Money.total(line.paid for line in lines))
    return Decision(claim, "1", lines, _adjusted(AdjustmentGroup.PATIENT, "3", owed))


def _with_patient_share(
    lines: tuple[LineDecision, ...], share: _Share, rules: PayerRules, dice: Dice
) -> tuple[LineDecision, ...]:
    if share is _Share.COPAY:
        return _spread(lines, "3", Money(rules.copay_minor))
    if share in (_Share.DEDUCTIBLE, _Share.BOTH):
        deductible = dice.between(rules.deductible_minor_min, rules.deductible_minor_max, "deductible")
        lines = _spread(lines, "1", Money(deductible))
    if share in (_Share.COINSURANCE, _Share.BOTH):
        lines = tuple(_owed(line, "2", line.paid.share_half_even(rules.coinsurance_percent, 100)) for line in lines)
    return lines


def _spread(lines: tuple[LineDecision, ...], reason: str, owed: Money) -> tuple[LineDecision, ...]:
    """Take a fixed amount off the lines in order, never more than each was to be paid."""
    decided = []
    for line in lines:
        part = min(owed, line.paid)
        owed -= part
        decided.append(_owed(line, reason, part))
    return tuple(decided)


def _owed(line: LineDecision, reason: str, part: Money) -> LineDecision:
    more = _adjusted(AdjustmentGroup.PATIENT, reason, part)
    return LineDecision(line.line, line.paid - part, line.allowed, line.adjustments + more)


def _kept_back(decision: Decision, percent: int) -> Decision:
    """The same decision after sequestration: of each line's payment, or of the claim's where the claim is adjusted."""
    if not percent:
        return decision
    if decision.claim_adjustments:
        kept = _adjusted(AdjustmentGroup.CONTRACTUAL, SEQUESTRATION, decision.paid.share_half_even(percent, 100))
        return replace(decision, claim_adjustments=decision.claim_adjustments + kept)
    lines = []
    for line in decision.lines:
        kept_back = line.paid.share_half_even(percent, 100)
        more = _adjusted(AdjustmentGroup.CONTRACTUAL, SEQUESTRATION, kept_back)
        lines.append(replace(line, paid=line.paid - kept_back, adjustments=line.adjustments + more))
    return replace(decision, lines=tuple(lines))
