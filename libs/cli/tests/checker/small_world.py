"""A small consistent world as it lies in stores, streams and ERP: one claim paid, one patient paying, all deposited.

Everything is made of raw records. A test changes one of them before the world is read.
"""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from throughline.checker.books.ledger import LedgerBook
from throughline.checker.chain import GENESIS, link
from throughline.checker.folding import Sources, fold_log
from throughline.checker.identity import derive, external_number, partition_of, posting_digest, public_event_id
from throughline.checker.invariants.erp_agreement import ErpBooks, ErpMove
from throughline.checker.invariants.streams import Nats
from throughline.checker.reading.stores import BOOKS
from throughline.checker.records import Message, Parked, StoredEvent
from throughline.checker.rows import Rebuilt, compare
from throughline.checker.vocabulary import CHART, PARTY_ACCOUNTS, REACTS, SERVICES, STREAMS
from throughline.checker.world import Store, World

State = dict[str, Any]
META = {"correlation_id": derive("c"), "causation_id": derive("c"), "actor": "service:test", "source_system": ""}
DAY = "2026-03-02"
ENCOUNTER, SELF_PAY, PATIENT = derive("e", 1), derive("e", 2), derive("patient", 1)
CLAIM, REMITTANCE, RECEIPT, DEPOSIT = derive("claim", 1), derive("r", 1), derive("receipt", 1), derive("deposit", 1)
PAYMENT, PAYOUT, ACCOUNT, MESSAGE = (
    derive("payment", 1),
    derive("payout", 1),
    derive("account", 1),
    derive("message", 1),
)
CASE = derive("case", 1)


@dataclass
class Log:
    """One store's events and its stream, before they are chained and read."""

    events: list[tuple[str, str, State]] = field(default_factory=list)
    announced: list[list[tuple[str, State]]] = field(default_factory=list)


class SmallWorld:
    """The raw records by service. `events` and `messages` may be changed by tests before `read` makes the world."""

    def __init__(self) -> None:
        self.logs = {service: Log() for service in SERVICES}
        self.parked: dict[str, list[Parked]] = {service: [] for service in SERVICES}
        self.unanswered: set[str] = set()
        self.live: dict[str, dict[str, list[tuple[str | None, ...]]]] = {}
        self._journals: dict[str, tuple[str, str, list[State]]] = {}
        self._charges()
        self._remittance()
        self._patient_pays()
        self._confirm()

    def record(self, service: str, topic: str, identity: str, state: State, *announced: tuple[str, State]) -> None:
        """Adds one event with the public events that it announces."""
        whole = {"timestamp": "2026-03-02T09:00:00Z", "meta": META, **state}
        self.logs[service].events.append((topic, identity, deepcopy(whole)))
        self.logs[service].announced.append(deepcopy(list(announced)))

    def stored(self, service: str) -> list[StoredEvent]:
        """The log as rows, chained."""
        rows: list[StoredEvent] = []
        versions: dict[str, int] = {}
        chain = GENESIS
        for position, (topic, identity, state) in enumerate(self.logs[service].events, 1):
            versions[identity] = versions.get(identity, 0) + 1
            row = StoredEvent(position, UUID(identity), versions[identity], topic, json.dumps(state).encode(), b"")
            chain = link(chain, row)
            rows.append(row._replace(chain=chain))
        return rows

    def messages(self, service: str) -> list[Message]:
        """The stream as messages."""
        found: list[Message] = []
        for row, announced in zip(self.stored(service), self.logs[service].announced, strict=True):
            for ordinal, (event_type, payload) in enumerate(announced):
                found.append(message_of(service, row, ordinal, event_type, payload, len(found) + 1))
        return found

    def find(self, service: str, topic: str, number: int = 0) -> State:
        """The state of one event, to be changed in place."""
        return [state for kind, _, state in self.logs[service].events if kind == topic][number]

    def payload(self, service: str, event_type: str, number: int = 0) -> State:
        """The data of one message, to be changed in place."""
        found = [p for batch in self.logs[service].announced for kind, p in batch if kind == event_type]
        return found[number]

    def drop(self, service: str, topic: str, number: int = 0) -> None:
        """Takes one event away, as if it had never been recorded."""
        places = [place for place, event in enumerate(self.logs[service].events) if event[0] == topic]
        del self.logs[service].events[places[number]]
        del self.logs[service].announced[places[number]]

    def read(self, *, settled: bool = True) -> World:
        """The world as the checker sees it; every message is answered but those in `unanswered`."""
        stores = {}
        for service in SERVICES:
            store = Store(service, BOOKS[service]())
            fold_log(self.stored(service), store, Sources(self.messages(service)))
            store.parked = self.parked[service]
            live = self.live.get(service, {})
            for table in store.book.tables():
                store.tables.append(compare(table, live.get(table.name) or rows_of(table)))
            stores[service] = store
        for service, upstreams in REACTS.items():
            for upstream, types in upstreams.items():
                for message in self.messages(upstream):
                    if message.subject.split(".")[2] in types and message.id not in self.unanswered:
                        stores[service].inbox[message.id] = hashlib.sha256(message.data).digest()
        return World(stores, settled=settled)

    def message_id(self, service: str, event_type: str, number: int = 0) -> str:
        """The id of one message of the stream."""
        return [m.id for m in self.messages(service) if m.subject.split(".")[2] == event_type][number]

    def _charges(self) -> None:
        for encounter, payer, total in ((ENCOUNTER, "ACME", "100.00 USD"), (SELF_PAY, "", "40.00 USD")):
            facts = {"patient_id": PATIENT, "source": "ehr", "entity": "NORTH", "location": ""}
            self.record("intake", "intake.encounter.opened", encounter, {"facts": facts})
            line = {"charge_id": derive("charge", encounter), "amount": total}
            self.record("intake", "intake.encounter.charge-captured", encounter, {"charge": {"line": line}})
            self.record("intake", "intake.encounter.finished", encounter, {})
            charged = {
                "posting": 1,
                "patient_id": PATIENT,
                "entity": "NORTH",
                "payer": payer,
                "charges": [line],
                "total": total,
            }
            public = {"encounter_id": encounter, **charged}
            self.record("intake", "intake.encounter.charged", encounter, charged, ("encounter-charged", public))
            self._book_charge(encounter, payer, total)
        self._claim()
        owed = {"entity": "NORTH", "patient_id": PATIENT, "effective_date": DAY, "claim_id": None}
        source = derive("self-pay", SELF_PAY, 1)
        assigned = {**owed, "encounter_id": SELF_PAY, "source_id": source, "amount": "40.00 USD"}
        self.record("payments", "payments.patient-account.responsibility-assigned", ACCOUNT, assigned)

    def _claim(self) -> None:
        content = {
            "patient_control_number": "TPCN1",
            "encounter_id": ENCOUNTER,
            "posting": 1,
            "entity": "NORTH",
            "payer": "ACME",
            "patient_id": PATIENT,
            "lines": [{"amount": "100.00 USD"}],
            "total": "100.00 USD",
        }
        public = {"claim_id": CLAIM, **{name: content[name] for name in ("encounter_id", "entity", "payer", "total")}}
        self.record("claims", "claims.claim.drafted", CLAIM, {"content": content}, ("claim-drafted", public))
        self.record("claims", "claims.claim.made-ready", CLAIM, {})
        submitted = {"interchange_id": derive("i"), "entity": "NORTH", "payer": "ACME", "total": "100.00 USD"}
        public = {"claim_id": CLAIM, **submitted}
        self.record("claims", "claims.claim.submitted", CLAIM, submitted, ("claim-submitted", public))

    def _remittance(self) -> None:
        """60.00 paid, 30.00 contractual, 10.00 left to the patient, and the deposit of the 60.00."""
        paid = {"position": 0, "patient_control_number": "TPCN1", "charge": "100.00 USD", "paid": "60.00 USD"}
        summary = {
            "remittance_id": REMITTANCE,
            "receipt_id": RECEIPT,
            "message_id": MESSAGE,
            "entity": "NORTH",
            "payer_id": "ACME",
            "trace_number": "TRN1",
            "payment": "60.00 USD",
            "total_paid": "60.00 USD",
            "claim_count": 1,
            "chunk_count": 1,
            "effective_date": DAY,
        }
        self._inbound()
        head = ("remittance-received", {"summary": summary})
        self.record("intake", "intake.remittance-receipt.read", RECEIPT, {"summary": summary}, head)
        part = {"remittance_id": REMITTANCE, "chunk": 0, "claims": [paid], "total_paid": "60.00 USD"}
        public = {**part, "receipt_id": RECEIPT}
        chunk_received = ("remittance-chunk-received", public)
        self.record("intake", "intake.remittance-receipt.chunk-read", RECEIPT, part, chunk_received)
        accepted = ("remittance-accepted", {"summary": summary})
        self.record("payments", "payments.remittance.accepted", REMITTANCE, {"summary": summary}, accepted)
        chunk = {"remittance_id": REMITTANCE, "chunk": 0, "entity": "NORTH", "payer": "ACME", "claims": [paid]}
        handed_on = ("remittance-chunk-accepted", chunk)
        self.record("payments", "payments.remittance-chunk.accepted", derive("chunk", 0), chunk, handed_on)
        self._adjudication()
        self._deposit()

    def _inbound(self) -> None:
        received = {
            "source_system": "payer",
            "delivery_key": "f1",
            "format": "x12",
            "entity": "NORTH",
            "size_bytes": 10,
            "span_count": 1,
            "span_digest": "00",
        }
        self.record("intake", "chassis.inbound-message.received", MESSAGE, received)
        self.record("intake", "chassis.inbound-message.accepted", MESSAGE, {"facts": []})

    def _adjudication(self) -> None:
        decision = {
            "remittance_id": REMITTANCE,
            "position": 0,
            "effective_date": DAY,
            "payer_status": "1",
            "charge": "100.00 USD",
            "paid": "60.00 USD",
            "patient_responsibility": "10.00 USD",
            "adjustments": [adjustment("CO", "45", "30.00"), adjustment("PR", "2", "10.00")],
        }
        shares = {"contractual": "30.00 USD", "denied": "0.00 USD", "patient": "10.00 USD", "other": "0.00 USD"}
        own = {"encounter_id": ENCOUNTER, "patient_id": PATIENT, "entity": "NORTH", "payer": "ACME", "posting": 1}
        state = {"decision": decision, "shares": shares, "first": True, "denied": False, "state": "adjudicated", **own}
        names = ("remittance_id", "charge", "paid", "patient_responsibility", "adjustments")
        told = {name: decision[name] for name in names}
        public = {"claim_id": CLAIM, "remittance_position": 0, "first": True, **own, **told}
        self.record("claims", "claims.claim.adjudicated", CLAIM, state, ("claim-adjudicated", public))
        owed = {"entity": "NORTH", "patient_id": PATIENT, "effective_date": DAY, "claim_id": CLAIM}
        source = derive("adjudication", CLAIM, REMITTANCE, 0)
        assigned = {**owed, "encounter_id": ENCOUNTER, "source_id": source, "amount": "10.00 USD"}
        self.record("payments", "payments.patient-account.responsibility-assigned", ACCOUNT, assigned)
        expected = {
            "remittance_id": REMITTANCE,
            "entity": "NORTH",
            "payer": "ACME",
            "effective_date": DAY,
            "claim_count": 1,
            "total_paid": "60.00 USD",
            "payment": "60.00 USD",
        }
        self.record("ledger", "ledger.remittance-manifest.expected", derive("manifest"), expected)
        lines = [
            line("eft-clearing", "60.00"),
            line("ar-payer", "-100.00", "ACME"),
            line("contractual-allowance", "30.00"),
            line("ar-patient", "10.00", "PATIENTS-NORTH"),
        ]
        source = self.message_id("claims", "claim-adjudicated")
        posting = derive("posting", "claim-payment", REMITTANCE, 0)
        self._post(posting, "remittance", REMITTANCE, REMITTANCE, lines, source, cash="60.00 USD")
        journal = self._intend("remittance", REMITTANCE, [posting], lines)
        met = {"remittance_id": REMITTANCE, "journal_id": journal}
        self.record("ledger", "ledger.remittance-manifest.met", derive("manifest"), met)

    def _deposit(self) -> None:
        recorded = {
            "entity": "NORTH",
            "kind": "remittance",
            "amount": "60.00 USD",
            "effective_date": DAY,
            "reference": "TRN1",
            "message_id": MESSAGE,
        }
        self.record("payments", "payments.deposit.recorded", DEPOSIT, recorded)
        matched = {"deposit_id": DEPOSIT, "entity": "NORTH", "amount": "60.00 USD", "effective_date": DAY}
        public = {"remittance_id": REMITTANCE, **matched}
        self.record("payments", "payments.remittance.deposit-matched", REMITTANCE, matched, ("deposit-matched", public))
        self.record("payments", "payments.deposit.matched", DEPOSIT, {"matched_to": REMITTANCE})
        self._book_single(
            "deposit", REMITTANCE, "deposit-matched", [line("cash", "60.00"), line("eft-clearing", "-60.00")]
        )

    def _patient_pays(self) -> None:
        """25.00 by card, paid out with 1.00 of fees."""
        succeeded = {
            "entity": "NORTH",
            "gateway_id": "pi_1",
            "amount": "25.00 USD",
            "effective_date": DAY,
            "account_id": ACCOUNT,
            "patient_id": PATIENT,
            "applied": "25.00 USD",
            "unapplied": "0.00 USD",
            "message_id": MESSAGE,
        }
        names = ("entity", "patient_id", "applied", "unapplied", "effective_date")
        told = {name: succeeded[name] for name in names}
        received = {"payment_id": PAYMENT, **told}
        self.record("payments", "payments.patient-account.payment-received", ACCOUNT, received)
        public = ("patient-payment-succeeded", received)
        self.record("payments", "payments.payment.succeeded", PAYMENT, succeeded, public)
        lines = [line("gateway-clearing", "25.00"), line("ar-patient", "-25.00", "PATIENTS-NORTH")]
        self._book_single("patient-payment", PAYMENT, "patient-payment-succeeded", lines)
        share = {"entity": "NORTH", "gross": "25.00 USD", "fees": "1.00 USD", "net": "24.00 USD"}
        announced = {"gateway_id": "po_1", "net": "24.00 USD", "arrives_on": DAY, "message_id": MESSAGE}
        self.record("payments", "payments.payout.announced", PAYOUT, announced)
        composed = {"effective_date": DAY, "shares": [share], "payment_ids": [PAYMENT]}
        public = ("payout-paid", {"payout_id": derive("share"), "effective_date": DAY, **share})
        self.record("payments", "payments.payout.composed", PAYOUT, composed, public)
        lines = [line("cash", "24.00"), line("processing-fees", "1.00"), line("gateway-clearing", "-25.00")]
        self._book_single("payout", derive("share"), "payout-paid", lines)

    def _book_charge(self, encounter: str, payer: str, total: str) -> None:
        amount = total.removesuffix(" USD")
        account, party = ("ar-payer", payer) if payer else ("ar-patient", "PATIENTS-NORTH")
        lines = [line(account, amount, party), line("gross-revenue", f"-{amount}")]
        posting = derive("posting", "charges", encounter, 1)
        source = self.message_id("intake", "encounter-charged", len(self._journals))
        group = derive("charge-batches", encounter)
        self._post(posting, "charges", group, encounter, lines, source)
        journal = derive("journal", "charges", group, 1)
        closed = {"ordinal": 1, "entity": "NORTH", "journal_id": journal, "posting_ids": [posting]}
        self.record("ledger", "ledger.charge-batches.closed", group, closed)
        self._intend("charges", group, [posting], lines)

    def _book_single(self, kind: str, item: str, event_type: str, lines: list[State]) -> None:
        posting = derive("posting", kind, item)
        self._post(posting, kind, posting, item, lines, self.message_id("payments", event_type))
        self._intend(kind, posting, [posting], lines)

    def _post(
        self, posting: str, kind: str, group: str, item: str, lines: list[State], source: str, cash: str = "0.00 USD"
    ) -> None:
        drafted = {
            "group_kind": kind,
            "group_id": group,
            "item_id": item,
            "remittance_position": 0 if kind == "remittance" else -1,
            "entity": "NORTH",
            "effective_date": DAY,
            "cash": cash,
            "lines": lines,
            "rules_version": "1",
            "source_event_id": source,
        }
        self.record("ledger", "ledger.subledger-posting.drafted", posting, drafted)

    def _intend(self, kind: str, group: str, postings: list[str], lines: list[State]) -> str:
        journal = derive("journal", kind, group, 1)
        head = {
            "journal_id": journal,
            "entity": "NORTH",
            "kind": kind,
            "effective_date": DAY,
            "external_number": external_number(journal),
        }
        intended = {
            "head": head,
            "lines": lines,
            "group_kind": kind,
            "group_id": group,
            "posting_count": len(postings),
            "posting_digest": posting_digest(postings),
        }
        public = ("journal-intended", {"head": head, "lines": lines, "group_id": group})
        self.record("ledger", "ledger.journal-entry.intended", journal, intended, public)
        witness = {"head": head, "lines": lines, "group_id": group}
        identity = derive("witness", journal)
        self.record("reconciliation", "reconciliation.witnessed-journal.intended", identity, witness)
        self._journals[journal] = (kind, head["external_number"], lines)
        return journal

    def _confirm(self) -> None:
        for number, (journal, (kind, external, lines)) in enumerate(self._journals.items(), 1):
            head = {
                "journal_id": journal,
                "entity": "NORTH",
                "kind": kind,
                "effective_date": DAY,
                "external_number": external,
            }
            document = {"erp": "local", "erp_document": str(number)}
            self.record("ledger", "ledger.journal-entry.probed", journal, {})
            self.record("ledger", "ledger.journal-entry.posted", journal, document)
            confirmed = {"head": head, "lines": lines, **document}
            public = ("journal-confirmed", dict(confirmed))
            self.record("ledger", "ledger.journal-entry.confirmed", journal, confirmed, public)
            identity = derive("witness", journal)
            self.record("reconciliation", "reconciliation.witnessed-journal.confirmed", identity, dict(confirmed))


def adjustment(group: str, reason: str, amount: str) -> State:
    """One adjustment of a decision."""
    return {"group": group, "reason": reason, "amount": f"{amount} USD"}


def line(account: str, amount: str, party: str = "") -> State:
    """One ledger line."""
    return {"account": account, "amount": f"{amount} USD", "party": party}


def message_of(service: str, row: StoredEvent, ordinal: int, event_type: str, payload: State, sequence: int) -> Message:
    """The message of one public event."""
    identity = public_event_id(service, str(row.id), row.version, ordinal)
    headers = {
        "Nats-Msg-Id": identity,
        "ce-specversion": "1.0",
        "ce-id": identity,
        "ce-source": f"throughline/{service}",
        "ce-type": f"billing.{service}.{event_type}.v1",
        "ce-subject": row.id.hex,
        "ce-time": "2026-03-02T09:00:00+00:00",
        "ce-datacontenttype": "application/json",
        "ce-sequence": str(row.version),
        "ce-ordinal": str(ordinal),
        "ce-position": str(row.position),
        "ce-correlationid": META["correlation_id"],
        "ce-causationid": META["causation_id"],
        "ce-actor": "service:test",
        "ce-phitier": "clear",
    }
    subject = f"billing.{service}.{event_type}.v1.{partition_of(str(row.id))}.{row.id.hex}"
    return Message(sequence, subject, headers, json.dumps(payload).encode())


def rows_of(table: Rebuilt) -> list[tuple[str | None, ...]]:
    """The rows that a live table would hold if it were right."""
    return [(*key, *(row.get(name) for name in table.columns)) for key, row in table.rows.items()]


def erp_of(book: LedgerBook) -> ErpBooks:
    """An ERP that holds exactly the confirmed entries."""
    moves = []
    balances: dict[tuple[str, str], int] = {}
    for journal in book.journals.values():
        lines = {
            (CHART[role], party if role in PARTY_ACCOUNTS else ""): amount
            for (role, party), amount in (journal.confirmed or {}).items()
        }
        for place, amount in lines.items():
            balances[place] = balances.get(place, 0) + amount
        moves.append(ErpMove(journal.document, journal.number, "NORTH", DAY, is_posted=True, lines=lines))
    return ErpBooks(tuple(moves), {"NORTH": balances})


def nats_of(world: World) -> Nats:
    """A server whose streams and durables are as they must be, read to their ends."""
    streams: dict[str, dict[str, object]] = {}
    consumers: dict[str, tuple[dict[str, object], ...]] = {}
    for service, name in STREAMS.items():
        count = world.stream(service).count
        config = {
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "subjects": [f"billing.{service}.>"],
            "deny_delete": True,
            "allow_atomic": True,
            "num_replicas": 1,
            "duplicate_window": 600_000_000_000,
        }
        streams[name] = {"config": config, "state": {"messages": count, "last_seq": count}}
        readers = [reader for reader, upstreams in REACTS.items() if service in upstreams]
        consumers[name] = tuple(_durable(reader, service, count) for reader in readers)
    return Nats(streams, consumers, sync_always=True)


def _durable(reader: str, upstream: str, count: int) -> dict[str, object]:
    config = {
        "ack_policy": "explicit",
        "deliver_policy": "all",
        "max_deliver": -1,
        "ack_wait": 60_000_000_000,
        "max_ack_pending": 1000,
        "filter_subject": f"billing.{upstream}.>",
    }
    name = f"{reader}-{upstream}-g0"
    return {"name": name, "config": config, "num_pending": 0, "num_ack_pending": 0, "ack_floor": {"stream_seq": count}}


def waits(message_id: str, *, case_id: str | None = None, waiting_for: str | None = None) -> Parked:
    """A parked message."""
    return Parked(message_id, "ledger-claims", derive("key"), waiting_for, case_id, "claim-adjudicated", "why")


def raised(message_id: str | None, subject_id: str | None = None) -> State:
    """The state of a case's first event."""
    return {
        "code": "UnmappedAdjustment",
        "summary": "OA-23 has no rule",
        "subject": "claim-adjudicated",
        "subject_id": subject_id,
        "message_id": message_id,
        "entity": "NORTH",
        "amount": None,
    }
