"""An external revenue-cycle platform: it takes billing-ready transactions, works them with the payers, and reports.

It stands for no product: what it takes and says is what `claims.adapters.platforms` and `intake.adapters.platform_reports` document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from canonical.money import Money

from sandbox.world.acknowledgements import ClaimVerdict
from sandbox.world.adjudication import LineDecision
from sandbox.world.file_drop import Exchange, drop, move_into, waiting_files
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import Answer, AnswerKind, Payers
from sandbox.world.received_claims import Adjustment
from sandbox.world.remittances import PaidClaim, Remittance
from sandbox.world.transactions import Batch, NotTransactions, read_batch

REPORT_FORMAT = "platform-report.v1"
_Line = dict[str, Any]


class PlatformDesk:
    """What the platform does with claims, whatever way they come. `payers` are those behind it.

    Faults by target: REJECT `batch` (takes nothing of it), DOWN `platform` (takes nothing for now); beside those of the payers.
    """

    def __init__(self, name: str, payers: Payers) -> None:
        self.name = name
        self.payers = payers
        self.unreadable: list[bytes] = []
        self._encounters: dict[str, str] = {}
        self._reports = 0

    def take(self, content: bytes, moment: datetime) -> list[Answer]:
        """One batch, and the report that answers it."""
        try:
            batch = read_batch(content)
        except NotTransactions:
            self.unreadable.append(content)
            return []
        if self.payers.misbehaviour.strike(Fault.REJECT, "batch"):
            return [
                self.report([{"record": "acknowledgement", "batch": batch.number, "code": "R", "notes": ["A3:21"]}])
            ]
        return [self.report(self._answers(batch, moment))]

    def settle(self, payment_date: date) -> tuple[list[Remittance], Answer | None]:
        """Lets the payers decide and pay what they took: their payments, and the report that tells of them."""
        made = self.payers.settle(payment_date)
        return made, self.paid(made, payment_date) if made else None

    def paid(self, made: Sequence[Remittance], day: date) -> Answer:
        """The report of these payments, and of the balances that they leave."""
        lines = [line for remittance in made for line in _remittance(remittance)]
        return self.report([*lines, *_balances(made, day)])

    def report(self, lines: Sequence[_Line]) -> Answer:
        """A report of these lines, between head and trailer."""
        self._reports += 1
        number = f"{self.name}-{self._reports:06d}"
        head = {"record": "head", "format": REPORT_FORMAT, "platform": self.name, "report": number}
        trail = {
            "record": "trail",
            "records": len(lines),
            "paid": _sum(lines, "remittance", "payment"),
            "patient_paid": _sum(lines, "patient-payment", "amount"),
            "balances": _sum(lines, "balance", "insurance"),
        }
        content = b"".join(json.dumps(line).encode() + b"\n" for line in [head, *lines, trail])
        return Answer(AnswerKind.REPORT, f"{number}.jsonl", content)

    def patient_paid(self, identity: str, control_number: str, amount: Money, day: date) -> Answer:
        """The report of a payment that a patient made to the platform."""
        line = {"record": "patient-payment", "id": identity, **self._whose(control_number), "amount": str(amount)}
        return self.report([line | {"method": "CARD", "received_on": day.isoformat()}])

    def adjusted(self, identity: str, control_number: str, amount: Money, code: str, day: date) -> Answer:
        """The report of what the platform took off in its own books."""
        line = {"record": "adjustment", "id": identity, **self._whose(control_number), "amount": str(amount)}
        return self.report([line | {"code": code, "adjusted_on": day.isoformat()}])

    def balance(self, control_number: str, insurance: Money, day: date) -> Answer:
        """The report of one balance, true or not."""
        return self.report([_balance(control_number, insurance, day)])

    def _whose(self, control_number: str) -> _Line:
        return {"control_number": control_number, "encounter_id": self._encounters[control_number]}

    def _answers(self, batch: Batch, moment: datetime) -> list[_Line]:
        lines: list[_Line] = [{"record": "acknowledgement", "batch": batch.number, "code": "A"}]
        for each in batch.transactions:
            self._encounters[each.claim.patient_control_number] = each.encounter_id
        verdicts = self.payers.take([each.claim for each in batch.transactions], moment.date())
        return lines + [_status(batch.number, verdict) for verdict in verdicts]


def _remittance(remittance: Remittance) -> list[_Line]:
    claims = remittance.claims
    head = {
        "record": "remittance",
        "payer": remittance.payer.x12_identifier,
        "payee_npi": remittance.entity.npi,
        "trace": remittance.trace_number,
        "method": "ACH" if remittance.amount else "NON",
        "payment": str(remittance.amount),
        "effective_date": remittance.payment_date.isoformat(),
        "claims": len(claims),
        "total_charge": str(Money.total(each.decision.claim.charge for each in claims)),
        "total_paid": str(Money.total(each.decision.paid for each in claims)),
        "provider_adjustments": [
            {"reason": each.code, "reference": each.reference, "amount": str(each.amount)}
            for each in remittance.provider_adjustments
        ],
    }
    return [head, *map(_payment, claims)]


def _payment(paid: PaidClaim) -> _Line:
    decision, claim = paid.decision, paid.decision.claim
    return {
        "record": "payment",
        "control_number": claim.patient_control_number,
        "status": decision.status,
        "charge": str(claim.charge),
        "paid": str(decision.paid),
        "patient_responsibility": str(decision.patient_responsibility),
        "number": paid.payer_control_number,
        "adjustments": _adjustments(decision.claim_adjustments),
        "lines": [_paid_line(line) for line in decision.lines],
        "crossover_carrier": paid.forwarded_to.x12_identifier if paid.forwarded_to else "",
        "earlier_number": paid.split_from,
    }


def _paid_line(decided: LineDecision) -> _Line:
    line = decided.line
    return {
        "line": int(line.control_number or 0),
        "procedure_code": line.procedure_code or line.revenue_code,
        "modifiers": list(line.modifiers),
        "charge": str(line.charge),
        "paid": str(decided.paid),
        "adjustments": _adjustments(decided.adjustments),
    }


def _adjustments(adjustments: Iterable[Adjustment]) -> list[_Line]:
    return [{"group": each.group.value, "reason": each.reason, "amount": str(each.amount)} for each in adjustments]


def _status(batch: str, verdict: ClaimVerdict) -> _Line:
    return {
        "record": "status",
        "batch": batch,
        "control_number": verdict.claim.patient_control_number,
        "accepted": verdict.accepted,
        "number": verdict.payer_control_number,
        "codes": [verdict.status],
        "charge": str(verdict.claim.charge),
    }


def _balances(made: Iterable[Remittance], day: date) -> list[_Line]:
    """Of claims that one payer decided and denied nothing of: there nothing is open any more."""
    done = (
        each.decision.claim
        for remittance in made
        for each in remittance.claims
        if not each.decision.denied and not each.decision.claim.prior and each.decision.claim.charge > Money(0)
    )
    return [_balance(claim.patient_control_number, Money(0), day) for claim in done]


def _balance(control_number: str, insurance: Money, day: date) -> _Line:
    told = {"control_number": control_number, "insurance": str(insurance), "as_of": day.isoformat()}
    return {"record": "balance", **told}


def _sum(lines: Iterable[_Line], record: str, field: str) -> str:
    amounts = (line[field].removesuffix(" USD") for line in lines if line["record"] == record)
    return str(Money.total(map(Money.of, amounts)))


class FolderDoor:
    """The platform at a folder: `step` takes the batches that lie there and puts its reports beside them.

    `entities` are those that it works; `batches` and `transactions` count what it took, `reports` what it told.
    """

    def __init__(
        self, folder: Path, desk: PlatformDesk, now: Callable[[], datetime], entities: Sequence[str] = ()
    ) -> None:
        self._exchange = Exchange(folder)
        self.desk = desk
        self.entities = frozenset(entities)
        self._now = now
        self.batches = self.transactions = self.reports = 0

    def step(self) -> int:
        """How many batches were taken; never waits."""
        if self.desk.payers.misbehaviour.strike(Fault.DOWN, "platform"):
            return 0
        files = waiting_files(self._exchange.folder("batches"))
        for path in files:
            content = move_into(path, self._exchange.folder("batches-taken")).read_bytes()
            taken = len(self.desk.payers.verdicts)
            for answer in self.desk.take(content, self._now()):
                self.tell(answer)
            self.transactions += len(self.desk.payers.verdicts) - taken
        self.batches += len(files)
        return len(files)

    def carry(self, remittances: Sequence[Remittance], day: date) -> list[Remittance]:
        """Tells of those of its entities, and gives back the others."""
        own = [each for each in remittances if each.entity.code in self.entities]
        if own:
            self.tell(self.desk.paid(own, day))
        return [each for each in remittances if each.entity.code not in self.entities]

    def tell(self, report: Answer) -> None:
        """A report for the biller."""
        drop(self._exchange.folder("reports"), report.name, report.content)
        self.reports += 1
