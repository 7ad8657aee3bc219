"""Gathers what a report holds from one pass, and holds it against its control totals."""

from __future__ import annotations

from dataclasses import dataclass, field

from canonical.money import Money
from canonical.remittance import ProviderAdjustment

from intake.adapters.platform_reports.records import (
    Adjustment,
    Balance,
    BatchAnswer,
    Head,
    Line,
    PatientPayment,
    Payment,
    RemittanceHead,
    Status,
    Trail,
)
from intake.adapters.platform_reports.values import (
    ReportDigest,
    adjustment_fact,
    payment_fact,
    provider_adjustments_of,
    residuals_of,
    status_of,
)
from intake.adapters.portions import CLAIM_WEIGHT_MAX, Portions, weight_of
from intake.application.ports import ClaimSpan, RemittanceFound, Survey
from intake.domain.payer_answer import Acknowledgement, ClaimStatus, ReportedBalance

FINDINGS_SHOWN_MAX = 50
REVERSAL = "22"
BATCH_ANSWER = "platform"


@dataclass(slots=True)
class _OpenRemittance:
    """One remittance while its payments are read."""

    number: int
    head: RemittanceHead
    adjustments: tuple[ProviderAdjustment, ...]
    digest: ReportDigest
    portions: Portions = field(default_factory=Portions)
    claims: int = 0
    reversals: int = 0
    charge: Money = field(default_factory=Money.zero)
    paid: Money = field(default_factory=Money.zero)
    residual: Money | None = None
    faults: list[str] = field(default_factory=list)

    def add(self, number: int, payment: Payment) -> None:
        self.claims += 1
        self.reversals += payment.status == REVERSAL
        self.charge += payment.charge
        self.paid += payment.paid
        self.digest.add(payment)
        weight = weight_of(len(payment.lines), sum(map(len, _adjustments(payment))))
        self.portions.opens_next(weight)
        if weight > CLAIM_WEIGHT_MAX:
            self.faults.append(f"line {number}: claim-size: too many lines to announce")
        for rule, residual in residuals_of(payment):
            self._fault(number, rule, residual)

    def close(self) -> None:
        """Holds the head against what followed it."""
        head = self.head
        if self.claims != head.claims:
            self.faults.append(f"line {self.number}: claim-count: {head.claims} announced, {self.claims} there")
        taken = Money.total(each.amount for each in head.provider_adjustments)
        self._differ("total-charge", head.total_charge - self.charge)
        self._differ("total-paid", head.total_paid - self.paid)
        self._differ("remittance-balance", head.total_paid - taken - head.payment)

    def _differ(self, rule: str, residual: Money) -> None:
        if residual:
            self._fault(self.number, rule, residual)

    def _fault(self, number: int, rule: str, residual: Money) -> None:
        self.residual = (self.residual or Money.zero()) + residual
        if len(self.faults) < FINDINGS_SHOWN_MAX:
            self.faults.append(f"line {number}: {rule}: residual {residual}")


def _adjustments(payment: Payment) -> list[tuple[object, ...]]:
    return [payment.adjustments, *(line.adjustments for line in payment.lines)]


class Surveying:
    """Takes the lines in order; `finished` or `cut_short` gives what is known."""

    def __init__(self) -> None:
        self._survey = Survey()
        self._head: Head | None = None
        self._trail: Trail | None = None
        self._remittances: list[_OpenRemittance] = []
        self._statuses: list[ClaimStatus] = []
        self._balances: list[ReportedBalance] = []
        self._acknowledged = 0
        self._records = 0
        self._patient_paid = Money.zero()

    def take(self, number: int, start: int, length: int, line: Line) -> None:
        """Takes line `number`, of `length` bytes from `start` on."""
        if isinstance(line, Head):
            self._head = line
            self._survey.platform = line.platform
            return
        if self._trail is not None:
            self._survey.findings.append(f"line {number}: after-trail: nothing follows the trailer")
            return
        if isinstance(line, Trail):
            self._trail = line
            return
        self._records += 1
        if isinstance(line, BatchAnswer | RemittanceHead):
            self._take_of_many(number, start, length, line)
            return
        self._survey.spans.append(ClaimSpan(start, length, line.control_number))
        if isinstance(line, Payment):
            self._take_payment(number, line)
        else:
            self._take_of_claim(number, line)

    def _take_of_many(self, number: int, start: int, length: int, line: BatchAnswer | RemittanceHead) -> None:
        if isinstance(line, RemittanceHead):
            adjustments = provider_adjustments_of(line, start, length)
            self._remittances.append(_OpenRemittance(number, line, adjustments, ReportDigest(line)))
            return
        answer = Acknowledgement(kind=BATCH_ANSWER, group_control_number=line.batch, code=line.code, notes=line.notes)
        self._survey.acknowledgements.append((self._next_ordinal(), answer))

    def _take_payment(self, number: int, payment: Payment) -> None:
        if self._remittances:
            self._remittances[-1].add(number, payment)
        else:
            self._survey.findings.append(f"line {number}: payment: no remittance before it")

    def _take_of_claim(self, number: int, line: Status | PatientPayment | Adjustment | Balance) -> None:
        place, platform = f"line {number}", self._survey.platform
        match line:
            case Status():
                self._statuses.append(status_of(line))
            case PatientPayment():
                self._patient_paid += line.amount
                self._survey.money.append(payment_fact(platform, line, place))
            case Adjustment():
                self._survey.money.append(adjustment_fact(platform, line, place))
            case Balance():
                told = {"platform": platform, "balance": line.insurance, "as_of": line.as_of}
                self._balances.append(ReportedBalance(patient_control_number=line.control_number, **told))

    def cut_short(self, why: str) -> Survey:
        """Nothing of a report that cannot be read to its end goes on."""
        return Survey(refused=why, platform=self._survey.platform, spans=self._survey.spans)

    def finished(self) -> Survey:
        """Everything, or nothing where the control totals say otherwise."""
        if fault := self._fault_of_totals():
            return self.cut_short(fault)
        assert self._head is not None
        for ordinal, each in enumerate(self._remittances):
            each.close()
            self._survey.remittances.append(_found(ordinal, each, self._head))
        if self._statuses:
            self._survey.statuses.append((self._next_ordinal(), tuple(self._statuses)))
        if self._balances:
            self._survey.balances.append((self._next_ordinal(), tuple(self._balances)))
        return self._survey

    def _fault_of_totals(self) -> str:
        trail = self._trail
        if self._head is None or trail is None:
            return "truncated: there is no trailer"
        totals = {
            "paid": (trail.paid, Money.total(each.head.payment for each in self._remittances)),
            "patient_paid": (trail.patient_paid, self._patient_paid),
            "balances": (trail.balances, Money.total(each.balance for each in self._balances)),
        }
        if trail.records != self._records:
            return f"trail records: {trail.records} announced, {self._records} there"
        wrong = (
            f"trail {name}: {told} announced, {there} there" for name, (told, there) in totals.items() if told != there
        )
        return next(wrong, "")

    def _next_ordinal(self) -> int:
        self._acknowledged += 1
        return self._acknowledged


def _found(ordinal: int, each: _OpenRemittance, report: Head) -> RemittanceFound:
    head = each.head
    return RemittanceFound(
        ordinal=ordinal,
        usable=not each.faults,
        findings=tuple(each.faults),
        residual=each.residual,
        payer_identifiers=(head.payer,),
        payee_npi=head.payee_npi,
        trace_number=head.trace,
        payment=head.payment,
        payment_method=head.method,
        effective_date=head.effective_date,
        claim_count=each.claims,
        chunk_count=each.portions.count,
        total_charge=each.charge,
        total_paid=each.paid,
        total_provider_adjustments=Money.total(one.amount for one in each.adjustments),
        content_hash=each.digest.finish(),
        provider_adjustments=each.adjustments,
        reversal_count=each.reversals,
        interchange=-1,
        interchange_sender=report.platform,
        interchange_control_number=report.report,
    )
