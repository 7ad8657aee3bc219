"""Claims recomputed: their states and amounts, every adjudication, payments for claims nobody knows, interchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from throughline.checker.amounts import cents
from throughline.checker.books.claim_work import ClaimWork
from throughline.checker.books.every_store import Book, Handler
from throughline.checker.identity import public_event_id
from throughline.checker.records import Fact, State
from throughline.checker.rows import Rebuilt

AMOUNTS = ("paid_minor", "contractual_minor", "denied_minor", "patient_minor", "other_minor")
CLAIM_COLUMNS = (
    "patient_control_number",
    "state",
    "entity",
    "payer",
    "encounter_id",
    "posting",
    "patient_id",
    "interchange_id",
    "payer_control_number",
    "charge_minor",
    *AMOUNTS,
    "written_off_minor",
    "adjudications",
)
ADJUDICATION_COLUMNS = (
    "claim_id",
    "encounter_id",
    "patient_id",
    "entity",
    "payer",
    "effective_date",
    "payer_status",
    "first",
    "denied",
    "charge_minor",
    *AMOUNTS,
)
UNKNOWN_COLUMNS = ("patient_control_number", "entity", "payer", "why", "effective_date", "paid_minor")
INTERCHANGE_COLUMNS = ("control_number", "state", "entity", "payer", "claim_count", "total_minor", "digest")


@dataclass(frozen=True, slots=True)
class DraftedClaim:
    """What was billed as one claim."""

    claim_id: str
    entity: str
    payer: str
    total: int
    sequence: int = 1


@dataclass(frozen=True, slots=True)
class Adjudication:
    """One payer decision in cents, and the id of the event that announces it."""

    announced_as: str
    claim_id: str
    entity: str
    payer: str
    charge: int
    paid: int
    taken_off: int
    denied: int
    patient: int
    match: int = 0
    is_unmatched: bool = False


class ClaimsBook(Book):
    """`drafted` by encounter and posting; `adjudications`, `unknown` and `noted` by remittance and position."""

    def __init__(self) -> None:
        self.drafted: dict[tuple[str, int], list[DraftedClaim]] = {}
        self.adjudications: dict[tuple[str, int], list[Adjudication]] = {}
        self.unknown: dict[tuple[str, int], list[int]] = {}
        self.noted: dict[tuple[str, int], int] = {}
        self.work = ClaimWork()
        self.miscounted = self.work.miscounted
        self.claims = Rebuilt("claims", ("claim_id",), CLAIM_COLUMNS)
        self.decisions = Rebuilt("adjudications", ("remittance_id", "position"), ADJUDICATION_COLUMNS)
        self.unknown_rows = Rebuilt("unknown_claim_payments", ("remittance_id", "position"), UNKNOWN_COLUMNS)
        self.interchanges = Rebuilt("interchanges", ("interchange_id",), INTERCHANGE_COLUMNS)
        super().__init__()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "claims.claim.drafted": self._drafted,
            "claims.claim.held": lambda fact: self._edited(fact, "held"),
            "claims.claim.made-ready": lambda fact: self._edited(fact, "ready"),
            "claims.claim.resubmission-intended": lambda fact: self._moved(fact, "ready"),
            "claims.claim.redrafted": self._redrafted,
            "claims.claim.withdrawn": lambda fact: self._moved(fact, "voided"),
            "claims.claim.submitted": self._submitted,
            "claims.claim.accepted": self._accepted,
            "claims.claim.payer-number-learned": self._number_learned,
            "claims.claim.rejected": lambda fact: self._moved(fact, "rejected"),
            "claims.claim.crossed-over": lambda fact: self._moved(fact, "submitted"),
            "claims.claim.next-claim-moved": lambda fact: self._moved(fact, fact.state["state"]),
            "claims.claim.adjudicated": self._adjudicated,
            "claims.claim.payment-noted": self._noted,
            "claims.claim.denial-released": self._released,
            "claims.claim.denial-written-off": self._denial_written_off,
            "claims.unknown-claim-payment.recorded": self._unknown,
            "claims.interchange.intended": self._intended,
            "claims.interchange.became-uncertain": lambda fact: self._interchange(fact, "uncertain"),
            "claims.interchange.sent": lambda fact: self._interchange(fact, "sent"),
            "claims.interchange.acknowledged": lambda fact: self._interchange(fact, "acknowledged"),
            "claims.interchange.decided": lambda fact: self._interchange(fact, fact.state["state"]),
            **self.work.handlers(),
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        return (
            *super().tables(),
            self.claims,
            self.decisions,
            self.unknown_rows,
            self.interchanges,
            *self.work.tables(),
        )

    def _drafted(self, fact: Fact) -> None:
        content = fact.state["content"]
        total = cents(content["total"])
        if sum(cents(line["amount"]) for line in content["lines"]) != total:
            self.miscounted.append(f"claim {fact.id}: its lines are not its total")
        claim = DraftedClaim(fact.id, content["entity"], content["payer"], total, content.get("sequence", 1))
        self.drafted.setdefault((content["encounter_id"], content["posting"]), []).append(claim)
        names = ("patient_control_number", "entity", "payer", "encounter_id", "posting", "patient_id")
        self.claims.put(
            (fact.id,),
            state="drafted",
            charge_minor=total,
            payer_control_number="",
            written_off_minor=0,
            adjudications=0,
            **{name: content[name] for name in names},
            **dict.fromkeys(AMOUNTS, 0),
        )

    def _redrafted(self, fact: Fact) -> None:
        content = fact.state["content"]
        total = cents(content["total"])
        if sum(cents(line["amount"]) for line in content["lines"]) != total:
            self.miscounted.append(f"claim {fact.id}: its lines are not its total at version {fact.version}")
        self.claims.put((fact.id,), charge_minor=total)

    def _moved(self, fact: Fact, state: str) -> None:
        self.claims.put((fact.id,), state=state)

    def _edited(self, fact: Fact, state: str) -> None:
        self.work.edited(fact)
        self._moved(fact, state)

    def _submitted(self, fact: Fact) -> None:
        self.work.edited(fact)
        self.claims.put((fact.id,), state="submitted", interchange_id=fact.state["interchange_id"])

    def _accepted(self, fact: Fact) -> None:
        self._moved(fact, "accepted")
        if fact.state["payer_control_number"]:
            self._number_learned(fact)

    def _number_learned(self, fact: Fact) -> None:
        self.claims.put((fact.id,), payer_control_number=fact.state["payer_control_number"])

    def _adjudicated(self, fact: Fact) -> None:
        state = fact.state
        decision = state["decision"]
        amounts = _shares(state)
        taken_off = sum(cents(adjustment["amount"]) for adjustment in decision["adjustments"])
        charge = cents(decision["charge"])
        if charge != amounts["paid_minor"] + taken_off or charge != sum(amounts.values()):
            self.miscounted.append(f"claim {fact.id}: charge is not payment and adjustments at version {fact.version}")
        place = (decision["remittance_id"], decision["position"])
        self.adjudications.setdefault(place, []).append(
            Adjudication(
                public_event_id("claims", fact.id, fact.version),
                fact.id,
                state["entity"],
                state["payer"],
                charge,
                amounts["paid_minor"],
                taken_off,
                amounts["denied_minor"],
                amounts["patient_minor"],
                state.get("match", 0),
                state.get("kind") == "unmatched",
            )
        )
        self.claims.put((fact.id,), state=state["state"])
        is_unmatched = state.get("kind") == "unmatched"
        self.claims.add((fact.id,), adjudications=-1 if is_unmatched else 1, **amounts)
        if is_unmatched:
            amounts, charge = dict.fromkeys(amounts, 0), 0
        own = {name: state[name] for name in ("encounter_id", "patient_id", "entity", "payer", "first", "denied")}
        told = {name: decision[name] for name in ("effective_date", "payer_status")}
        key = (place[0], str(place[1]))
        self.decisions.put(key, claim_id=fact.id, charge_minor=charge, **own, **told, **amounts)

    def _released(self, fact: Fact) -> None:
        self.claims.add((fact.id,), denied_minor=-cents(fact.state["amount"]))

    def _denial_written_off(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        self.claims.add((fact.id,), denied_minor=-amount, written_off_minor=amount)

    def _noted(self, fact: Fact) -> None:
        place = (fact.state["decision"]["remittance_id"], fact.state["decision"]["position"])
        self.noted[place] = self.noted.get(place, 0) + 1

    def _unknown(self, fact: Fact) -> None:
        state, decision = fact.state, fact.state["decision"]
        paid = cents(decision["paid"])
        self.unknown.setdefault((decision["remittance_id"], decision["position"]), []).append(paid)
        self.unknown_rows.put(
            (decision["remittance_id"], str(decision["position"])),
            patient_control_number=state["patient_control_number"],
            entity=state["entity"],
            payer=state["payer"],
            why=state["why"],
            effective_date=decision["effective_date"],
            paid_minor=paid,
        )

    def _intended(self, fact: Fact) -> None:
        order = fact.state["order"]
        self.interchanges.put(
            (fact.id,),
            state="intended",
            claim_count=len(fact.state["claim_ids"]),
            total_minor=cents(fact.state["total"]),
            digest=fact.state["digest"],
            **{name: order[name] for name in ("control_number", "entity", "payer")},
        )

    def _interchange(self, fact: Fact, state: str) -> None:
        self.interchanges.put((fact.id,), state=state)


def _shares(state: State) -> dict[str, int]:
    shares = state["shares"]
    return {
        "paid_minor": cents(state["decision"]["paid"]),
        "contractual_minor": cents(shares["contractual"]),
        "denied_minor": cents(shares["denied"]),
        "patient_minor": cents(shares["patient"]),
        "other_minor": cents(shares["other"]),
    }
