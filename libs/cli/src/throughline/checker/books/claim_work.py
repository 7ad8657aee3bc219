"""People's work on claims recomputed: denials, whose amounts must add up, underpayments, and runs of the edits."""

from __future__ import annotations

from collections.abc import Mapping

from throughline.checker.amounts import cents
from throughline.checker.books.every_store import Handler
from throughline.checker.records import Fact, State
from throughline.checker.rows import Rebuilt

FACTS = ("claim_id", "number", "patient_control_number", "entity", "payer", "remittance_id", "position", "category")
CLOCKS = ("denied_on", "appeal_by", "file_by")
PARTS = ("at_risk", "recovered", "written_off")
DENIAL_COLUMNS = (
    *FACTS,
    *CLOCKS,
    "queue",
    "owner",
    "state",
    "outcome",
    "amount_minor",
    *(f"{name}_minor" for name in PARTS),
    "requested_minor",
    "requested_by",
)
UNDERPAYMENT_AMOUNTS = ("expected", "allowed", "denied", "shortfall")
UNDERPAYMENT_COLUMNS = ("state", "entity", "payer", *(f"{name}_minor" for name in UNDERPAYMENT_AMOUNTS))
EDIT_COLUMNS = ("stage", "rules_version", "rules_digest", "rules_run")


class ClaimWork:
    """Part of the claims' book. `miscounted` names denials whose parts are not what was first denied."""

    def __init__(self) -> None:
        self.miscounted: list[str] = []
        self._first: dict[str, int] = {}
        self._written_off: dict[str, int] = {}
        self._denials = Rebuilt("denials", ("denial_id",), DENIAL_COLUMNS)
        self._underpayments = Rebuilt("underpayments", ("claim_id", "number"), UNDERPAYMENT_COLUMNS)
        self._edit_runs = Rebuilt("edit_runs", ("claim_id", "number"), EDIT_COLUMNS)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "claims.edit-history.ran": lambda fact: self._ran(fact.state),
            "claims.claim.edits-ran": self.edited,
            "claims.denial.opened": self._opened,
            "claims.denial.resettled": self._resettled,
            "claims.denial.assigned": self._assigned,
            "claims.denial.acted-on": lambda fact: self._denials.put((fact.id,), state=fact.state["state"]),
            "claims.denial.write-off-requested": self._requested,
            "claims.denial.write-off-turned-down": lambda fact: self._no_request(fact, "in-work"),
            "claims.denial.written-off": self._given_up,
            "claims.contract-review.found-underpaid": self._underpaid,
            "claims.contract-review.resolved": self._resolved,
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        return (self._denials, self._underpayments, self._edit_runs)

    def edited(self, fact: Fact) -> None:
        """Takes the run of the edits that an event of a claim keeps, if it keeps one."""
        run = fact.state.get("edit_run")
        if run is not None:
            self._ran({"claim_id": fact.id, **run})

    def _ran(self, run: State) -> None:
        self._edit_runs.put(_numbered(run), **{name: run[name] for name in EDIT_COLUMNS})

    def _opened(self, fact: Fact) -> None:
        facts, amount = fact.state["facts"], cents(fact.state["amount"])
        self._first[fact.id] = amount
        self._denials.put(
            (fact.id,),
            queue=facts["queue"],
            owner="",
            state="open",
            outcome="none",
            amount_minor=amount,
            at_risk_minor=amount,
            requested_by="",
            **{name: facts[name] for name in (*FACTS, *CLOCKS)},
        )

    def _resettled(self, fact: Fact) -> None:
        self._moved(fact, ("at_risk", "recovered"))

    def _given_up(self, fact: Fact) -> None:
        before = self._written_off.get(fact.id, 0)
        self._written_off[fact.id] = cents(fact.state["written_off"])
        if before + cents(fact.state["change"]) != self._written_off[fact.id]:
            self.miscounted.append(f"denial {fact.id}: what was written off does not add up at version {fact.version}")
        self._moved(fact, PARTS)

    def _moved(self, fact: Fact, names: tuple[str, ...]) -> None:
        state = fact.state
        parts = {"written_off": self._written_off.get(fact.id, 0)} | {name: cents(state[name]) for name in names}
        if sum(parts.values()) != self._first.get(fact.id) or min(parts.values()) < 0:
            self.miscounted.append(f"denial {fact.id}: its parts are not what was denied at version {fact.version}")
        amounts = {f"{name}_minor": parts[name] for name in names}
        self._denials.put((fact.id,), outcome=state["outcome"], **amounts)
        if state["state"] == "awaiting-approval":
            self._denials.put((fact.id,), state=state["state"])
        else:
            self._no_request(fact, state["state"])

    def _no_request(self, fact: Fact, state: str) -> None:
        self._denials.put((fact.id,), state=state, requested_minor=0, requested_by="")

    def _assigned(self, fact: Fact) -> None:
        self._denials.put((fact.id,), **{name: fact.state[name] for name in ("owner", "queue", "state")})

    def _requested(self, fact: Fact) -> None:
        asked = {"requested_minor": cents(fact.state["amount"]), "requested_by": fact.state["requested_by"]}
        self._denials.put((fact.id,), state="awaiting-approval", **asked)

    def _underpaid(self, fact: Fact) -> None:
        state = fact.state
        amounts = {f"{name}_minor": cents(state[name]) for name in UNDERPAYMENT_AMOUNTS}
        self._underpayments.put(_numbered(state), state="open", entity=state["entity"], payer=state["payer"], **amounts)

    def _resolved(self, fact: Fact) -> None:
        self._underpayments.put(_numbered(fact.state), state="resolved")


def _numbered(state: State) -> tuple[str, str]:
    return (state["claim_id"], str(state["number"]))
