"""What must hold of a suite at rest, whatever went wrong before; each names what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from canonical.codes import AccountRole
from canonical.envelope import Envelope
from canonical.ids import derive
from chassis.eventstore import Row, Table
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES, ExceptionCase
from chassis.merged_patients import PATIENT_MERGES
from claims.application.read_models import CLAIMS
from intake.application.queries import ENCOUNTERS
from intake.domain.encounter import Encounter
from ledger_adapter.adapters.fake_erp import FakeErp
from ledger_adapter.application.queries import BALANCES, CLEARING, JOURNALS, LINES, POSTINGS
from ledger_adapter.domain.journal_entry import JournalEntry
from ledger_adapter.domain.subledger import SubledgerPosting
from payments.application.gateway_rows import GATEWAY_ORDERS
from payments.application.patient_rows import ACCOUNTS
from payments.application.queries import REMITTANCES
from reconciliation.application.queries import BREAKS, RUNS
from reconciliation.domain.breaks import BreakState
from sandbox.world.expected_books import PAYER_SIDE
from sandbox.world.expected_patient_books import PATIENT_SIDE

from .bus import Bus
from .erp import FaultyTransport
from .nodes import Node
from .outside import Outside
from .patient_oracle import ExpectedPatients

_ROWS_MAX = 100_000


class Suite:
    """What the invariants look at: the stores without their faults, the streams, the ERP, the files that were sent.

    `expected` are the payers' side of the books as the story alone says, in cents by entity, account and party;
    `patients` says the same of patients' money.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        bus: Bus,
        erp: FakeErp,
        transport: FaultyTransport,
        expected: Mapping[tuple[str, str, str], int],
        patients: ExpectedPatients,
        outside: Outside,
    ) -> None:
        self.nodes = nodes
        self.bus = bus
        self.erp = erp
        self.transport = transport
        self.expected = expected
        self.patients = patients
        self.outside = outside

    def store(self, service: str) -> MemoryEventStore:
        return self.nodes[service].kept

    def rows(self, service: str, table: Table, **where: object) -> list[Row]:
        return self.store(service).rows(table, where, limit=_ROWS_MAX)

    def events(self, service: str) -> Iterator[object]:
        for entry in self.store(service).log(0, self.store(service).last_position()):
            yield entry.event


def violations(suite: Suite) -> list[str]:
    """Everything that does not hold, by the name of its invariant."""
    return [f"{check.__name__}: {fault}" for check in INVARIANTS for fault in check(suite)]


def every_entry_balances(suite: Suite) -> Iterator[str]:
    for event in suite.events("ledger"):
        if isinstance(event, SubledgerPosting.Drafted | JournalEntry.Intended | JournalEntry.Confirmed):
            left = sum(line.amount.minor for line in event.lines)
            if left:
                yield f"{type(event).__qualname__} {event.originator_id}: residual {left}"
    for document in suite.erp.documents:
        if sum(line.amount.minor for line in document.lines):
            yield f"ERP document {document.number} does not balance"


def erp_documents_are_the_confirmed_journals(suite: Suite) -> Iterator[str]:
    ours = {
        event.head.external_number: event
        for event in suite.events("ledger")
        if isinstance(event, JournalEntry.Confirmed)
    }
    theirs = {document.number: document for document in suite.erp.documents}
    if len(theirs) < len(suite.erp.documents):
        yield "a number was booked twice"
    for number in ours.keys() ^ theirs.keys():
        yield f"{number}: only {'confirmed here' if number in ours else 'at the ERP'}"
    for number in ours.keys() & theirs.keys():
        if _places(ours[number].lines) != _places(theirs[number].lines):
            yield f"{number}: other lines at the ERP"


def _places(lines: object) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for line in lines:  # type: ignore[attr-defined]
        sums[line.account.value, line.party] += line.amount.minor
    return sums


def every_journal_is_confirmed(suite: Suite) -> Iterator[str]:
    for row in suite.rows("ledger", JOURNALS):
        if row["state"] != "confirmed":
            yield f"journal {row['external_number']} is {row['state']}: {row['reason']}"


def every_posting_is_in_one_journal(suite: Suite) -> Iterator[str]:
    """Lines by account and party of all entries are those of all postings, each posting taken up once."""
    posted, booked = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for event in suite.events("ledger"):
        if isinstance(event, SubledgerPosting.Drafted):
            for line in event.lines:
                posted[event.entity, line.account.value, line.party] += line.amount.minor
        elif isinstance(event, JournalEntry.Intended):
            for entry_line in event.lines:
                booked[event.head.entity, entry_line.account.value, entry_line.party] += entry_line.amount.minor
    for place in sorted(posted.keys() | booked.keys()):
        if posted[place] != booked[place]:
            yield f"{place}: postings {posted[place]}, entries {booked[place]}"


def every_message_is_answered(suite: Suite) -> Iterator[str]:
    for service, upstream in suite.bus.durables:
        consumer = suite.nodes[service].replicas[0].parts.core.consumers[upstream]
        types = {reaction.event.TYPE for reaction in consumer.reactions}
        wanted = {
            envelope.id
            for message in suite.bus.streams[upstream].messages
            if (envelope := Envelope.from_headers(message.headers)).type in types
        }
        missing = wanted - suite.store(service).answered(wanted).keys()
        if missing:
            yield f"{service} never answered {len(missing)} of {len(wanted)} messages of {upstream}"


def every_event_is_published_once(suite: Suite) -> Iterator[str]:
    for name, node in suite.nodes.items():
        wanted = [
            derive("public-event", name, entry.event.originator_id, entry.event.originator_version, ordinal)
            for entry in node.kept.log(0, node.kept.last_position())
            for ordinal, _ in enumerate(node.shape.publishing(entry.event))
        ]
        found = [Envelope.from_headers(message.headers).id for message in suite.bus.streams[name].messages]
        if wanted != found:
            yield f"{name}: the stream holds {len(found)} events, {len(wanted)} were announced, or their order differs"


def nothing_waits_without_a_case(suite: Suite) -> Iterator[str]:
    for name, node in suite.nodes.items():
        cases = {row["case_id"] for row in suite.rows(name, CASES)}
        for parked in node.kept.parked(limit=_ROWS_MAX):
            if parked.case_id not in cases:
                yield f"{name}: {parked.consumer} still waits: {parked.reason}"


def every_case_has_its_story(suite: Suite) -> Iterator[str]:
    for name in suite.nodes:
        raised = {event.originator_id for event in suite.events(name) if isinstance(event, ExceptionCase.Raised)}
        ended = [event.originator_id for event in suite.events(name) if isinstance(event, ExceptionCase.Ended)]
        if len(set(ended)) < len(ended) or not raised >= set(ended):
            yield f"{name}: a case ended twice, or was never raised"


def everybody_knows_who_is_one_person(suite: Suite) -> Iterator[str]:
    said = {row["retired_id"]: row["survivor_id"] for row in suite.rows("intake", PATIENT_MERGES)}
    if not said:
        yield "intake: nobody was merged"
    for name in ("claims", "payments"):
        known = {row["retired_id"]: row["survivor_id"] for row in suite.rows(name, PATIENT_MERGES)}
        if known != said:
            yield f"{name}: {len(known)} patients are merged, {len(said)} at intake, or into others"


def rebuilt_is_live(suite: Suite) -> Iterator[str]:
    for name, node in suite.nodes.items():
        live = {table.name: node.kept.read_model_hash(table) for table in node.shape.all_tables}
        node.kept.rebuild_read_models()
        for table in node.shape.all_tables:
            if node.kept.read_model_hash(table) != live[table.name]:
                yield f"{name}.{table.name} differs after a rebuild"


def eft_clearing_is_zero_after_the_deposit(suite: Suite) -> Iterator[str]:
    deposited = {row["remittance_id"] for row in suite.rows("payments", REMITTANCES) if row["deposit_id"]}
    for row in suite.rows("ledger", CLEARING, account=AccountRole.EFT_CLEARING.value):
        if row["item_id"] in deposited and row["amount_minor"]:
            yield f"remittance {row['item_id']} leaves {row['amount_minor']} after its deposit"


def payer_receivables_are_what_claims_say(suite: Suite) -> Iterator[str]:
    """Per encounter: what its payers were charged less all that went elsewhere, as claims has it, is the receivable.

    What a payer left to the next one went nowhere, and what a later payer tells of the ones before is no adjustment.
    """
    receivable: Counter[object] = Counter()
    for row in suite.rows("ledger", LINES, account=AccountRole.AR_PAYER.value):
        receivable[row["encounter_id"]] += _whole(row["amount_minor"])
    expected: Counter[object] = Counter()
    for row in suite.rows("claims", CLAIMS):
        stays = ("owed_minor", "memo_minor", "next_payer_minor")
        gone = ("paid_minor", "contractual_minor", "denied_minor", "written_off_minor", "patient_minor", "other_minor")
        left = sum(_whole(row[column]) for column in stays) - sum(_whole(row[column]) for column in gone)
        expected[row["encounter_id"]] += left
    for encounter in receivable.keys() | expected.keys():
        if receivable[encounter] != expected[encounter]:
            yield f"encounter {encounter}: ledger {receivable[encounter]}, claims {expected[encounter]}"


def the_books_are_what_payers_decided(suite: Suite) -> Iterator[str]:
    """Every account that only charges and payers move, against the oracle; a party tells who owes a receivable."""
    yield from _books_differ(suite, PAYER_SIDE, suite.expected)


def the_books_are_what_became_of_patients_money(suite: Suite) -> Iterator[str]:
    yield from _books_differ(suite, PATIENT_SIDE, suite.patients.books)


def _books_differ(
    suite: Suite, roles: Collection[AccountRole], expected: Mapping[tuple[str, str, str], int]
) -> Iterator[str]:
    accounts = {role.value for role in roles}
    found: Counter[tuple[str, str, str]] = Counter()
    for row in suite.rows("ledger", BALANCES):
        if row["account"] in accounts:
            found[str(row["entity"]), str(row["account"]), str(row["party"])] += _whole(row["subledger_minor"])
    for place in sorted(found.keys() | expected.keys()):
        if found[place] != expected.get(place, 0):
            yield f"{place}: ledger {found[place]}, by the story {expected.get(place, 0)}"


def each_account_has_what_its_patient_owes_and_paid(suite: Suite) -> Iterator[str]:
    """An account that was never opened owes nothing, and no payment has found it."""
    rows = {row["account_id"]: row for row in suite.rows("payments", ACCOUNTS)}
    for account_id, money in suite.patients.accounts.items():
        row = rows.pop(account_id, None)
        if row is None:
            found = (0, 0, sum(money.cash))
        else:
            owed = _whole(row["responsibility_minor"]) - _whole(row["written_off_minor"])
            found = (owed, _whole(row["applied_minor"]), _whole(row["unapplied_minor"]))
        if found != (money.owed, money.applied, money.unapplied):
            yield f"{account_id}: {found}, by the story {(money.owed, money.applied, money.unapplied)}"
    yield from (f"{account_id}: nobody has this account" for account_id in rows)


def nothing_was_ordered_twice_at_the_gateway(suite: Suite) -> Iterator[str]:
    told = [each.metadata.get("refund_id") for each in suite.outside.later.refunds.values()]
    told += [each.metadata.get("request_id") for each in suite.outside.gateway.intents.values()]
    for identity, count in Counter(each for each in told if each).items():
        if count > 1:
            yield f"order {identity} was carried out {count} times"
    for row in suite.rows("payments", GATEWAY_ORDERS):
        if row["state"] != "known":
            yield f"order {row['order_id']} is {row['state']}"


def patient_receivables_are_what_payments_says(suite: Suite) -> Iterator[str]:
    ledger: Counter[object] = Counter()
    for row in suite.rows("ledger", LINES, account=AccountRole.AR_PATIENT.value):
        ledger[row["entity"], row["patient_id"]] += _whole(row["amount_minor"])
    accounts: Counter[object] = Counter()
    for row in suite.rows("payments", ACCOUNTS):
        owed = _whole(row["responsibility_minor"]) - _whole(row["written_off_minor"])
        accounts[row["entity"], row["patient_id"]] += owed - _whole(row["applied_minor"])
    for place in ledger.keys() | accounts.keys():
        if ledger[place] != accounts[place]:
            yield f"{place}: ledger {ledger[place]}, payments {accounts[place]}"


def every_charge_has_one_effect(suite: Suite) -> Iterator[str]:
    """Each word on a posting of an encounter is one posting in the ledger; each posting one claim to its first payer, unless
    it is self-pay."""
    said = [event for event in suite.events("intake") if isinstance(event, Encounter.Charged | Encounter.Revised)]
    charged = [event for event in said if isinstance(event, Encounter.Charged)]
    posted = Counter(row["item_id"] for row in suite.rows("ledger", POSTINGS, group_kind="charges"))
    claimed = Counter(row["encounter_id"] for row in suite.rows("claims", CLAIMS) if row["sequence"] == 1)
    for encounter, count in Counter(event.originator_id for event in said).items():
        if posted[encounter] != count:
            yield f"encounter {encounter}: {count} postings announced, {posted[encounter]} in the ledger"
    for encounter, count in Counter(event.originator_id for event in charged if event.payer).items():
        if claimed[encounter] != count:
            yield f"encounter {encounter}: {count} postings announced, {claimed[encounter]} claims"
    if len(charged) != len(suite.rows("intake", ENCOUNTERS)):
        yield f"{len(charged)} postings of {len(suite.rows('intake', ENCOUNTERS))} encounters"


def the_last_proof_finds_nothing_unexplained(suite: Suite) -> Iterator[str]:
    runs = suite.store("reconciliation").rows(RUNS, {}, order=("-completed_at",), limit=1)
    if not runs:
        yield "nothing was ever proved"
    for row in runs:
        if row["broken"] or row["in_motion"] or row["unexplained_minor"]:
            yield f"broken {row['broken']}, in motion {row['in_motion']}, unexplained {row['unexplained_minor']}"


def no_break_is_left_open(suite: Suite) -> Iterator[str]:
    """One may open while messages are still on their way; when they have arrived it is resolved."""
    for row in suite.rows("reconciliation", BREAKS):
        if row["state"] != BreakState.RESOLVED.value:
            yield f"{row['control']} of {row['entity']} is {row['state']}: {row['residual_minor']}"


def no_file_left_twice(suite: Suite) -> Iterator[str]:
    for name, count in Counter(suite.transport.sendings).items():
        if count > 1:
            yield f"{name} was sent {count} times"


def _whole(value: object) -> int:
    assert value is None or isinstance(value, int)
    return value or 0


INVARIANTS: tuple[Callable[[Suite], Iterator[str]], ...] = (
    every_entry_balances,
    erp_documents_are_the_confirmed_journals,
    every_journal_is_confirmed,
    every_posting_is_in_one_journal,
    every_message_is_answered,
    every_event_is_published_once,
    nothing_waits_without_a_case,
    every_case_has_its_story,
    everybody_knows_who_is_one_person,
    rebuilt_is_live,
    eft_clearing_is_zero_after_the_deposit,
    payer_receivables_are_what_claims_say,
    the_books_are_what_payers_decided,
    the_books_are_what_became_of_patients_money,
    each_account_has_what_its_patient_owes_and_paid,
    nothing_was_ordered_twice_at_the_gateway,
    patient_receivables_are_what_payments_says,
    every_charge_has_one_effect,
    no_file_left_twice,
    the_last_proof_finds_nothing_unexplained,
    no_break_is_left_open,
)
