"""Intake recomputed: patients, encounters with their charges, remittance receipts, payers' answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from throughline.checker.amounts import cents
from throughline.checker.books.every_store import Book, Handler
from throughline.checker.records import Fact
from throughline.checker.rows import Rebuilt

ENCOUNTER_COLUMNS = (
    "patient_id",
    "source",
    "entity",
    "state",
    "charge_count",
    "charged_minor",
    "posting_count",
    "posted_minor",
)
RECEIPT_COLUMNS = (
    "remittance_id",
    "message_id",
    "entity",
    "payer",
    "trace_number",
    "payment_minor",
    "effective_date",
    "claim_count",
    "claims_read",
)


@dataclass(slots=True)
class Charged:
    """One posting of an encounter: what was billed, to whom."""

    entity: str
    payer: str
    total: int
    charges: list[str] = field(default_factory=list)


class IntakeBook(Book):
    """`charged` by encounter and posting, as it is now; `charge_postings` counts in how many postings each charge is."""

    def __init__(self) -> None:
        self.charged: dict[tuple[str, int], Charged] = {}
        self.charge_postings: dict[str, int] = {}
        self.miscounted: list[str] = []
        self.encounters = Rebuilt("encounters", ("encounter_id",), ENCOUNTER_COLUMNS)
        self.receipts = Rebuilt("remittance_receipts", ("receipt_id",), RECEIPT_COLUMNS)
        self.answers = Rebuilt("payer_answers", ("answer_id",), ("message_id", "kind", "accepted", "rejected"))
        self.patients = Rebuilt("patients", ("patient_id",), ())
        self.matches = Rebuilt("patient_matches", ("match_id",), ("first_id", "second_id", "state", "score"))
        super().__init__()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "intake.patient.registered": lambda fact: self.patients.put((fact.id,)),
            "intake.patient.merged": lambda fact: self.merges.put((fact.id,), survivor_id=fact.state["into"]),
            "intake.patient.unmerged": self._unmerged,
            "intake.patient-match.suggested": lambda fact: self._matched(fact, "open"),
            "intake.patient-match.merged": lambda fact: self.matches.put((fact.id,), state="merged"),
            "intake.patient-match.distinguished": lambda fact: self._matched(fact, "distinct"),
            "intake.encounter.opened": self._opened,
            "intake.encounter.charge-captured": self._captured,
            "intake.encounter.charge-corrected": self._changed,
            "intake.encounter.charge-voided": self._changed,
            "intake.encounter.revised": self._revised,
            "intake.encounter.cancelled": lambda fact: self.encounters.put((fact.id,), state="cancelled"),
            "intake.encounter.reopened": lambda fact: self.encounters.put((fact.id,), state="open"),
            "intake.encounter.finished": lambda fact: self.encounters.put((fact.id,), state="finished"),
            "intake.encounter.released": lambda fact: self.encounters.put((fact.id,), state="finished"),
            "intake.encounter.held": lambda fact: self.encounters.put((fact.id,), state="held"),
            "intake.encounter.charged": self._charged,
            "intake.remittance-receipt.read": self._read,
            "intake.remittance-receipt.chunk-read": self._chunk_read,
            "intake.payer-answer.acknowledgement-read": self._acknowledged,
            "intake.payer-answer.statuses-read": self._statuses,
            "intake.payer-answer.inquiry-answers-read": lambda fact: self.answers.put(
                (fact.id,), message_id=fact.state["message_id"], kind="277"
            ),
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        return (
            *super().tables(),
            self.patients,
            self.matches,
            self.encounters,
            self.receipts,
            self.answers,
        )

    def _unmerged(self, fact: Fact) -> None:
        if fact.state["was_merged"]:
            self.merges.put((fact.id,), survivor_id=None)

    def _matched(self, fact: Fact, state: str) -> None:
        pair = {name: fact.state[name] for name in ("first_id", "second_id")}
        self.matches.put((fact.id,), state=state, **pair)
        if "likeness" in fact.state:
            self.matches.put((fact.id,), score=fact.state["likeness"]["score"])

    def _opened(self, fact: Fact) -> None:
        facts = fact.state["facts"]
        self.encounters.put(
            (fact.id,),
            patient_id=facts["patient_id"],
            source=facts["source"],
            entity=facts["entity"],
            state="open",
            charge_count=0,
            charged_minor=0,
            posting_count=0,
            posted_minor=0,
        )

    def _captured(self, fact: Fact) -> None:
        if fact.state.get("change") is not None:
            self._changed(fact)
            return
        line = fact.state["charge"]["line"]
        self.encounters.add((fact.id,), charge_count=1, charged_minor=cents(line["amount"]))

    def _changed(self, fact: Fact) -> None:
        change = cents(fact.state["change"])
        self.encounters.add((fact.id,), charge_count=fact.state["count_change"], charged_minor=change)

    def _charged(self, fact: Fact) -> None:
        state = fact.state
        total = cents(state["total"])
        charges = [line["charge_id"] for line in state["charges"]]
        if sum(cents(line["amount"]) for line in state["charges"]) != total:
            self.miscounted.append(f"encounter {fact.id}, posting {state['posting']}: charges are not the total")
        place = (fact.id, state["posting"])
        if place in self.charged:
            self.miscounted.append(f"encounter {fact.id}: posting {state['posting']} twice")
        self.charged[place] = Charged(state["entity"], state["payer"], total, charges)
        for charge in charges:
            self.charge_postings[charge] = self.charge_postings.get(charge, 0) + 1
        self.encounters.put((fact.id,), posting_count=state["posting"])
        self.encounters.add((fact.id,), posted_minor=total)

    def _revised(self, fact: Fact) -> None:
        state = fact.state
        where = f"encounter {fact.id}, posting {state['posting']}, revision {state['revision']}"
        known = self.charged.get((fact.id, state["posting"]))
        if known is None or known.total != cents(state["previous_total"]):
            self.miscounted.append(f"{where}: it was not {state['previous_total']} before")
            return
        if sum(cents(line["amount"]) for line in state["charges"]) != cents(state["total"]):
            self.miscounted.append(f"{where}: charges are not the total")
        charges = [line["charge_id"] for line in state["charges"]]
        for charge, count in ((known.charges, -1), (charges, 1)):
            for each in charge:
                self.charge_postings[each] = self.charge_postings.get(each, 0) + count
        self.encounters.add((fact.id,), posted_minor=cents(state["total"]) - known.total)
        known.total, known.charges = cents(state["total"]), charges

    def _read(self, fact: Fact) -> None:
        summary = fact.state["summary"]
        names = ("remittance_id", "message_id", "entity", "trace_number", "effective_date", "claim_count")
        self.receipts.put(
            (fact.id,),
            payer=summary["payer_id"],
            payment_minor=cents(summary["payment"]),
            claims_read=0,
            **{name: summary[name] for name in names},
        )

    def _chunk_read(self, fact: Fact) -> None:
        claims = fact.state["claims"]
        if sum(cents(claim["paid"]) for claim in claims) != cents(fact.state["total_paid"]):
            self.miscounted.append(f"receipt {fact.id}, part {fact.state['chunk']}: claims are not its total")
        self.receipts.add((fact.id,), claims_read=len(claims))

    def _acknowledged(self, fact: Fact) -> None:
        kind = fact.state["acknowledgement"]["kind"]
        self.answers.put((fact.id,), message_id=fact.state["message_id"], kind=kind)

    def _statuses(self, fact: Fact) -> None:
        statuses = fact.state["statuses"]
        accepted = sum(1 for status in statuses if status["accepted"])
        self.answers.put((fact.id,), message_id=fact.state["message_id"], kind="277CA")
        self.answers.add((fact.id,), accepted=accepted, rejected=len(statuses) - accepted)
