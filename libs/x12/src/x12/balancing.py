"""The three levels at which a remittance must add up. Findings say where and by how much; nothing is ever forced.

Source: 005010X221A1, section 1.10.2.1; a positive adjustment lowers the payment, in CAS and in PLB alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from canonical.money import Money

from x12.findings import Finding, Level, Severity
from x12.remittance import ClaimPayment, ProviderAdjustment, RemittanceHeader, RemittanceTotals, ServiceLine

PATIENT_RESPONSIBILITY = "PR"
RESIDUALS_KEPT_MAX = 500

_RULES = {
    "line_unbalanced": "SVC02 less the line's adjustments is not SVC03",
    "claim_unbalanced": "CLP03 less all adjustments of the claim and its lines is not CLP04",
    "line_charges": "the lines' charges do not add up to CLP03",
    "line_payments": "the lines' payments less the claim's adjustments are not CLP04",
    "patient_responsibility": "CLP05 is not the sum of the PR adjustments",
    "transaction_unbalanced": "the sum of CLP04 less the sum of PLB is not BPR02",
}


def claim_findings(claim: ClaimPayment) -> list[Finding]:
    """Line and claim level; empty when the claim balances.

    CAS counts at claim and line level. Where there are lines, their charges and payments must also lead to the
    claim's. A stated CLP05 must equal the PR adjustments, because both say what the patient owes.
    """
    claim_adjusted = patient = 0
    for adjustment in claim.adjustments:
        claim_adjusted += adjustment.amount_minor
        if adjustment.group == PATIENT_RESPONSIBILITY:
            patient += adjustment.amount_minor
    findings: list[Finding] = []
    line_adjusted = charged = paid = 0
    for line in claim.lines:
        adjusted = 0
        for adjustment in line.adjustments:
            adjusted += adjustment.amount_minor
            if adjustment.group == PATIENT_RESPONSIBILITY:
                patient += adjustment.amount_minor
        if line.charge_minor - adjusted != line.paid_minor:
            findings.append(_line_finding(line, line.charge_minor - adjusted))
        line_adjusted += adjusted
        charged += line.charge_minor
        paid += line.paid_minor
    payment = claim.charge_minor - claim_adjusted - line_adjusted
    if (
        payment == claim.paid_minor
        and (not claim.lines or (charged == claim.charge_minor and paid - claim_adjusted == claim.paid_minor))
        and (not claim.patient_responsibility_stated or claim.patient_responsibility_minor == patient)
    ):
        return findings
    _add(findings, "claim_unbalanced", claim, payment, claim.paid_minor)
    if claim.lines:
        _add(findings, "line_charges", claim, charged, claim.charge_minor)
        _add(findings, "line_payments", claim, paid - claim_adjusted, claim.paid_minor)
    if claim.patient_responsibility_stated:
        _add(findings, "patient_responsibility", claim, patient, claim.patient_responsibility_minor)
    return findings


def transaction_finding(header: RemittanceHeader, totals: RemittanceTotals) -> Finding | None:
    """Transaction level: BPR02 against all claims and all PLB pairs."""
    expected = totals.paid_minor - totals.provider_adjustment_minor
    if expected == header.net_minor:
        return None
    position = header.payment_position
    return _finding("transaction_unbalanced", "BPR", position, Level.TRANSACTION, expected, header.net_minor)


def explanation(residual_minor: int, adjustments: Sequence[ProviderAdjustment]) -> Finding | None:
    """The one provider adjustment that would explain the transaction's residual: left out, or taken with the wrong sign."""
    left_out = [each for each in adjustments if each.amount_minor and residual_minor == -each.amount_minor]
    turned = [each for each in adjustments if each.amount_minor and residual_minor == -2 * each.amount_minor]
    if len(left_out) + len(turned) != 1:
        return None
    how = "left out of" if left_out else "taken with the wrong sign in"
    message = f"the transaction's residual is this provider adjustment {how} BPR02"
    (found,) = left_out or turned
    return Finding("plb_explains", Severity.NOTE, "PLB", found.position, message, level=Level.TRANSACTION)


class Balance:
    """Gathers the three levels of one remittance, and where its residuals lie.

    `residuals` holds the finest findings only (at most `RESIDUALS_KEPT_MAX`): a claim's is left out when its lines
    explain it, the transaction's when the claims do. `largest_minor` is the largest residual of any level, the
    transaction's before a claim's of the same size.
    """

    def __init__(self) -> None:
        self.residuals: list[Finding] = []
        self.largest_minor = 0
        self._claims_off_minor = 0

    def add(self, claim: ClaimPayment) -> list[Finding]:
        """The findings of one claim, as `claim_findings`."""
        findings = claim_findings(claim)
        if findings:
            self._locate(findings)
        return findings

    def _locate(self, findings: list[Finding]) -> None:
        self._weigh(findings)
        lines = [finding for finding in findings if finding.level is Level.LINE]
        off = sum(_cents(finding) for finding in findings if finding.code == "claim_unbalanced")
        self._claims_off_minor += off
        explained = bool(lines) and off in (0, sum(map(_cents, lines)))
        self._keep(lines if explained else findings)

    def close(
        self, header: RemittanceHeader, totals: RemittanceTotals, adjustments: Sequence[ProviderAdjustment]
    ) -> list[Finding]:
        """The finding of the transaction level, as `transaction_finding`, and what may explain it."""
        finding = transaction_finding(header, totals)
        if finding is None:
            return []
        self._weigh([finding])
        if self.residuals and _cents(finding) == -self._claims_off_minor:
            return [finding]
        self._keep([finding])
        explained = explanation(_cents(finding), adjustments)
        return [finding, explained] if explained else [finding]

    def _weigh(self, findings: list[Finding]) -> None:
        for finding in findings:
            cents = _cents(finding)
            if abs(cents) >= abs(self.largest_minor):
                self.largest_minor = cents

    def _keep(self, findings: list[Finding]) -> None:
        self.residuals.extend(findings[: RESIDUALS_KEPT_MAX - len(self.residuals)])


def _cents(finding: Finding) -> int:
    return finding.residual.minor if finding.residual else 0


def _line_finding(line: ServiceLine, expected: int) -> Finding:
    return _finding("line_unbalanced", "SVC", line.position, Level.LINE, expected, line.paid_minor)


def _add(findings: list[Finding], code: str, claim: ClaimPayment, expected: int, found: int) -> None:
    if expected != found:
        findings.append(_finding(code, "CLP", claim.position, Level.CLAIM, expected, found))


def _finding(code: str, segment: str, position: int, level: Level, expected: int, found: int) -> Finding:
    residual = Money(expected - found)
    return Finding(
        code,
        Severity.QUARANTINE,
        segment,
        position,
        f"{_RULES[code]}; residual {residual.decimal_text}",
        expected=Money(expected).decimal_text,
        found=Money(found).decimal_text,
        level=level,
        residual=residual,
    )
