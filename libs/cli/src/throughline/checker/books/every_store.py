"""What every store may hold beside its own business: exception cases, inbound messages, merged patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from throughline.checker.amounts import cents
from throughline.checker.records import Fact
from throughline.checker.result import Failures
from throughline.checker.rows import Rebuilt

Handler = Callable[[Fact], None]

CASE_COLUMNS = (
    "state",
    "code",
    "subject_id",
    "message_id",
    "entity",
    "amount_minor",
    "owner",
    "reason",
    "actor",
    "dismissal_by",
    "dismissal_reason",
)
INBOUND_COLUMNS = (
    "source_system",
    "delivery_key",
    "format",
    "entity",
    "state",
    "size_bytes",
    "span_count",
    "finding_count",
    "residual_minor",
    "readings",
)


@dataclass(slots=True)
class Case:
    """One exception case, folded. `how` is empty while it is open."""

    code: str = ""
    message_id: str | None = None
    subject_id: str | None = None
    how: str = ""
    dismissal_by: str = ""
    events: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return not self.how


@dataclass(slots=True)
class Inbound:
    """One inbound message, folded."""

    state: str = "received"
    span_count: int = 0
    span_digest: str = ""
    size_bytes: int = 0
    is_expired: bool = False


class Book:
    """Folds facts by topic. A service's book adds its handlers and tables to these."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.case_failures = Failures()
        self.inbound: dict[str, Inbound] = {}
        self.unreadable = Failures()
        self.case_rows = Rebuilt("exception_cases", ("case_id",), CASE_COLUMNS)
        self.inbound_rows = Rebuilt("inbound_messages", ("message_id",), INBOUND_COLUMNS)
        self.merges = Rebuilt("patient_merges", ("retired_id",), ("survivor_id",))
        self._handlers: dict[str, Handler] = {
            "chassis.patient-merge.told": lambda fact: self.merges.put(
                (fact.state["retired_id"],), survivor_id=fact.state["survivor_id"]
            ),
            "chassis.exception-case.raised": self._raised,
            "chassis.exception-case.assigned": self._assigned,
            "chassis.exception-case.restated": self._restated,
            "chassis.exception-case.dismissal-proposed": self._dismissal_proposed,
            "chassis.exception-case.ended": self._ended,
            "chassis.inbound-message.received": self._received,
            "chassis.inbound-message.accepted": self._decided,
            "chassis.inbound-message.quarantined": self._decided,
            "chassis.inbound-message.refused": self._decided,
            "chassis.inbound-message.reprocessed": self._decided,
            "chassis.inbound-message.raw-expired": self._expired,
            **self.handlers(),
        }

    def handlers(self) -> Mapping[str, Handler]:
        """The service's own topics."""
        return {}

    def tables(self) -> tuple[Rebuilt, ...]:
        """The read models as the events make them."""
        kept = (self.inbound_rows if self.inbound else None, self.merges if self.merges.rows else None)
        return (self.case_rows, *filter(None, kept))

    def take(self, fact: Fact) -> None:
        """Folds one fact; one that does not read as its topic must is noted."""
        handler = self._handlers.get(fact.topic)
        if handler is None:
            return
        try:
            handler(fact)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
            place = f"position {fact.position} ({fact.topic} {fact.id})"
            self.unreadable.add(f"{place}: {type(fault).__name__} where its fields are read")

    def _raised(self, fact: Fact) -> None:
        state = fact.state
        case = self.cases.setdefault(fact.id, Case())
        case.events.append("raised")
        case.code, case.message_id, case.subject_id = state["code"], state["message_id"], state["subject_id"]
        if not (state["code"] and state["summary"]):
            self.case_failures.add(f"case {fact.id}: raised without code or summary")
        self.case_rows.put(
            (fact.id,),
            state="open",
            code=state["code"],
            subject_id=state["subject_id"],
            message_id=state["message_id"],
            entity=state["entity"],
            amount_minor=None if state["amount"] is None else cents(state["amount"]),
        )

    def _restated(self, fact: Fact) -> None:
        amount = fact.state["amount"]
        self.case_rows.put((fact.id,), amount_minor=None if amount is None else cents(amount))
        if entity := fact.state.get("entity"):
            self.case_rows.put((fact.id,), entity=entity)
        self._dismissal_withdrawn(fact)

    def _assigned(self, fact: Fact) -> None:
        self.cases.setdefault(fact.id, Case()).events.append("assigned")
        self.case_rows.put((fact.id,), state="assigned", owner=fact.state["owner"])
        self._dismissal_withdrawn(fact)

    def _dismissal_proposed(self, fact: Fact) -> None:
        by, reason = fact.state["meta"]["actor"], fact.state["reason"]
        self.cases.setdefault(fact.id, Case()).dismissal_by = by
        self.case_rows.put((fact.id,), dismissal_by=by, dismissal_reason=reason)

    def _dismissal_withdrawn(self, fact: Fact) -> None:
        self.cases.setdefault(fact.id, Case()).dismissal_by = ""
        self.case_rows.put((fact.id,), dismissal_by=None, dismissal_reason=None)

    def _ended(self, fact: Fact) -> None:
        state = fact.state
        case = self.cases.setdefault(fact.id, Case())
        if case.how:
            self.case_failures.add(f"case {fact.id} ({case.code}): ended twice")
        case.events.append("ended")
        case.how = state["how"]
        actor = state["meta"]["actor"]
        if not actor or (state["how"] == "dismissed" and len(state["reason"].strip()) < 5):
            self.case_failures.add(f"case {fact.id} ({case.code}): {state['how']} without an actor or a reason")
        if state["how"] == "dismissed" and actor and actor == case.dismissal_by:
            self.case_failures.add(f"case {fact.id} ({case.code}): {actor} agreed to an own proposal of its dismissal")
        self.case_rows.put((fact.id,), state=state["how"], reason=state["reason"], actor=actor)

    def _received(self, fact: Fact) -> None:
        state = fact.state
        self.inbound[fact.id] = Inbound(
            span_count=state["span_count"], span_digest=state["span_digest"], size_bytes=state["size_bytes"]
        )
        names = ("source_system", "delivery_key", "format", "entity", "size_bytes", "span_count")
        self.inbound_rows.put((fact.id,), state="received", finding_count=0, **{name: state[name] for name in names})

    def _expired(self, fact: Fact) -> None:
        self.inbound.setdefault(fact.id, Inbound()).is_expired = True

    def _decided(self, fact: Fact) -> None:
        word = fact.topic.rsplit(".", 1)[1]
        verdict = fact.state["verdict"] if word == "reprocessed" else word
        self.inbound.setdefault(fact.id, Inbound()).state = verdict
        residual = fact.state.get("residual")
        self.inbound_rows.put(
            (fact.id,),
            state=verdict,
            finding_count=fact.state.get("finding_count", 0),
            residual_minor=cents(residual) if residual else None,
        )
        self.inbound_rows.add((fact.id,), readings=1)
