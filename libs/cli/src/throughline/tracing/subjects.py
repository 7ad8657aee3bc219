"""What an id is the id of, what there is to tell of it, and which journal entries it is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from throughline.outcome import NotFound
from throughline.tracing import identities
from throughline.tracing.books import Books, State
from throughline.tracing.deposit_origins import UNIDENTIFIED
from throughline.tracing.finding_origins import applications_of
from throughline.tracing.origins import equation_of_decision
from throughline.tracing.patient_origins import TRANSFER_MADE, later_moves
from throughline.tracing.payer_origins import DENIAL_ENDS
from throughline.tracing.records import Claim, Decision, Encounter, Journal, Message, Part
from throughline.tracing.stored_facts import mappings_in, number_in
from throughline.wire import amount_text, as_uuid

BATCHES_MAX = 1000
Only = Callable[[Part], bool]


@dataclass(slots=True)
class Subject:
    """The thing that was asked for, in sentences, and its journal entries, each with the parts of it that concern it."""

    kind: str
    title: str
    told: list[str] = field(default_factory=list)
    entries: list[tuple[Journal, Only | None]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def add_entry(self, journal: Journal | None, what: str, only: Only | None = None) -> None:
        if journal is None:
            self.told.append(f"{what}: in no journal entry yet")
        else:
            self.entries.append((journal, only))


def subject_of(books: Books, wanted: str) -> Subject:
    """Finds out what `wanted` is the id of.

    Raises:
        NotFound: no service knows it.
    """
    journal = books.journal(wanted)
    if journal is not None:
        return _journal_subject(journal)
    identity = as_uuid(wanted)
    finders = (_by_number, _by_document) if identity is None else (*_BY_ID, _case)
    for find in finders:
        subject = find(books, wanted if identity is None else str(identity))
        if subject is not None:
            return subject
    raise NotFound(f"no service knows {wanted}")


def _journal_subject(journal: Journal) -> Subject:
    title = f"Journal entry {journal.external_number} of {journal.entity}"
    return Subject("journal", title, entries=[(journal, None)])


def _by_number(books: Books, wanted: str) -> Subject | None:
    claims = books.claims_numbered(wanted)
    return _claim(books, claims[0].claim_id) if claims else None


def _by_document(books: Books, wanted: str) -> Subject | None:
    journal = books.journal_of_document(wanted)
    return _journal_subject(journal) if journal else None


def _claim(books: Books, claim_id: str) -> Subject | None:
    found = books.claim(claim_id)
    if found is None:
        return None
    claim, decisions = found
    subject = Subject("claim", f"Claim {claim.control_number} ({claim.claim_id})")
    _tell_claim(books, subject, claim, list(decisions))
    _add_charges(books, subject, claim.encounter_id, claim.posting)
    return subject


def _tell_claim(books: Books, subject: Subject, claim: Claim, decisions: list[Decision]) -> None:
    charge = amount_text(claim.charge)
    subject.told.append(f"claim {claim.control_number}, {claim.state}: {claim.entity} charges {claim.payer} {charge}")
    for decision in decisions:
        remittance_id, position = decision.remittance_id, decision.position
        what = f"remittance {remittance_id}, position {position}"
        subject.told.append(f"{what}: {equation_of_decision(decision)}")
        if not decision.match:
            journal = books.journal(identities.journal("remittance", remittance_id))
            subject.add_entry(journal, what, _of_claim(claim.claim_id))
        for match in range(1, decision.match + 1):
            group = identities.match_posting(remittance_id, position, match)
            journal = books.journal(identities.journal("claim-match", group))
            subject.add_entry(journal, f"match {match} of {what}", _of_claim(claim.claim_id))
    _add_denials(books, subject, claim.claim_id)


def _add_denials(books: Books, subject: Subject, claim_id: str) -> None:
    """What was denied and is open again, or was given up."""
    for topic, state in books.events("claims", claim_id):
        for kind, wanted, number in DENIAL_ENDS:
            if topic == wanted:
                group = identities.denial_posting(kind, claim_id, number_in(state.get(number)))
                what = f"{kind.replace('-', ' ')} of {state['amount']}"
                subject.add_entry(books.journal(identities.journal(kind, group)), what)


def _of_claim(claim_id: str) -> Only:
    return lambda part: part.claim_id == claim_id


def _add_charges(books: Books, subject: Subject, encounter_id: str, number: int) -> None:
    posting_id = identities.charge_posting(encounter_id, number)
    journal = _entry_of_charges(books, posting_id)
    what = f"charges of encounter {encounter_id}, posting {number}"
    subject.add_entry(journal, what, lambda part: part.posting_id == posting_id)


def _entry_of_charges(books: Books, posting_id: str) -> Journal | None:
    """The batch of its day that took this posting up."""
    group = next((str(state["group_id"]) for _, state in books.events("ledger", posting_id)), "")
    for ordinal in range(1, BATCHES_MAX) if group else ():
        journal = books.journal(identities.journal("charges", group, ordinal))
        if journal is None or any(part.posting_id == posting_id for part in journal.parts):
            return journal
    return None


def _remittance(books: Books, remittance_id: str) -> Subject | None:
    remittance = books.remittance(remittance_id)
    if remittance is None:
        return None
    trace = f"trace number {remittance.trace_number}"
    subject = Subject("remittance", f"Remittance {remittance_id}")
    subject.told.append(
        f"{remittance.payer} pays {remittance.entity} {amount_text(remittance.payment)} for {remittance.claim_count} "
        f"claims, {trace}, effective {remittance.effective_date}"
    )
    subject.add_entry(books.journal(identities.journal("remittance", remittance_id)), "remittance")
    if remittance.deposit_id:
        _add_deposit(books, subject, remittance.deposit_id, remittance_id)
    else:
        subject.told.append("no bank deposit has come for it yet")
    return subject


def _add_deposit(books: Books, subject: Subject, deposit_id: str, remittance_id: str) -> None:
    group = identities.deposit_posting(deposit_id, remittance_id)
    subject.add_entry(books.journal(identities.journal("deposit", group)), f"deposit {deposit_id}")


def _money(books: Books, identity: str) -> Subject | None:
    """A payment, a deposit, a payout or an account, whichever payments knows by this id; or whose refund, dispute or
    write-off it is."""
    events = books.events("payments", identity)
    kind = events[0][0].split(".")[1] if events else ""
    subject = Subject(kind, f"{kind.replace('-', ' ').capitalize()} {identity}")
    for topic, state in events:
        amounts = [f"{name} {state[name]}" for name in ("amount", "applied", "unapplied", "net") if name in state]
        subject.told.append(f"{topic.rpartition('.')[2].replace('-', ' ')} {', '.join(amounts)}".rstrip())
    if kind == "payment":
        _add_payment(books, subject, identity)
    elif kind == "patient-account":
        _add_later_moves(books, subject, identity)
    elif kind == "account-transfer":
        _add_transfer(books, subject, identity, events)
    elif kind == "deposit":
        _add_whole_deposit(books, subject, identity, events)
    elif kind == "payout":
        for entity in [str(share["entity"]) for _, state in events for share in mappings_in(state.get("shares"))]:
            group = identities.payout_posting(identities.payout_share(identity, entity), entity)
            subject.add_entry(books.journal(identities.journal("payout", group)), f"share of {entity}")
    if kind in ("payment", "patient-account", "account-transfer", "deposit", "payout"):
        if not subject.entries:
            _add_messages(books, subject, events)
        return subject
    owner = books.payment_of(identity) or books.account_of(identity)
    return _money(books, owner) if owner else None


def _add_transfer(books: Books, subject: Subject, transfer_id: str, events: Sequence[tuple[str, State]]) -> None:
    """Whence and whither, and the payment behind its cash."""
    for topic, state in events:
        if topic == TRANSFER_MADE:
            subject.told.append(f"from account {state['from_account_id']} to account {state['to_account_id']}")
            group = identities.single_posting("patient-transfer", transfer_id)
            subject.add_entry(books.journal(identities.journal("patient-transfer", group)), "transfer")
            if state.get("origin"):
                _add_payment(books, subject, str(state["origin"]))


def _add_whole_deposit(books: Books, subject: Subject, deposit_id: str, events: Sequence[tuple[str, State]]) -> None:
    """What it was booked as while nobody knew whose it is, and the remittances that it pays."""
    for topic, state in events:
        if topic == UNIDENTIFIED:
            group = identities.single_posting("unidentified-deposit", deposit_id)
            subject.add_entry(books.journal(identities.journal("unidentified-deposit", group)), "as nobody's")
        if state.get("matched_to"):
            further = state.get("further")
            for remittance_id in (state["matched_to"], *(further if isinstance(further, list) else ())):
                _add_deposit(books, subject, deposit_id, str(remittance_id))


def _add_payment(books: Books, subject: Subject, payment_id: str) -> None:
    group = identities.payment_posting(payment_id)
    subject.add_entry(books.journal(identities.journal("patient-payment", group)), "payment")
    for number, amount in applications_of(books, payment_id):
        group = identities.application_posting(payment_id, number)
        what = f"application {number}, {amount_text(amount)}"
        subject.add_entry(books.journal(identities.journal("application", group)), what)
    _add_later_moves(books, subject, payment_id)


def _add_later_moves(books: Books, subject: Subject, identity: str) -> None:
    """Refunds, disputes and returns of a payment, or what was written off of an account."""
    for move, state in later_moves(books.events("payments", identity), identity):
        subject.add_entry(books.journal(identities.journal(move.kind, move.posting(state))), move.words(state))


def _encounter(books: Books, encounter_id: str) -> Subject | None:
    encounter = books.encounter(encounter_id)
    if encounter is None:
        return None
    subject = Subject("encounter", f"Encounter {encounter_id}")
    _tell_encounter(books, subject, encounter)
    return subject


def _tell_encounter(books: Books, subject: Subject, encounter: Encounter) -> None:
    counted = f"{len(encounter.charges)} charges, {len(encounter.postings)} postings"
    subject.told.append(f"encounter {encounter.encounter_id} at {encounter.entity}, {encounter.state}: {counted}")
    for posting in encounter.postings:
        _add_charges(books, subject, encounter.encounter_id, posting.number)
    for claim in books.claims_of_encounter(encounter.encounter_id):
        found = books.claim(claim.claim_id)
        _tell_claim(books, subject, claim, list(found[1]) if found else [])


def _message(books: Books, message_id: str) -> Subject | None:
    message = books.message("intake", message_id) or books.message("payments", message_id)
    if message is None:
        return None
    subject = Subject("message", f"Message {message_id}", messages=[message])
    inner = [_remittance(books, identity) for identity in books.remittances_of_message(message_id)]
    inner += [_money(books, identity) for identity in books.money_of_message(message_id)]
    for found in filter(None, inner):
        subject.told += [found.title, *found.told]
        subject.entries += found.entries
    if not subject.entries:
        for encounter in books.encounters_of_message(message_id):
            _tell_encounter(books, subject, encounter)
    return subject


def _add_messages(books: Books, subject: Subject, events: Sequence[tuple[str, State]]) -> None:
    """What told of it: where no journal entry leads to the bytes yet."""
    for message_id in dict.fromkeys(str(state["message_id"]) for _, state in events if state.get("message_id")):
        message = books.message("payments", message_id) or books.message("intake", message_id)
        subject.messages += [message] if message else []


def _case(books: Books, case_id: str) -> Subject | None:
    """An exception, and what it is about; where that is nothing that is booked, its history and what it names."""
    case = books.case(case_id)
    if case is None:
        return None
    subject = Subject(
        "case", f"Exception {case.code}, {case.state}", [case.summary, *([case.means] if case.means else [])]
    )
    events = books.events(case.service, case.subject_id) if case.subject_id else ()
    about = _first_of(books, [case.subject_id])
    if about is None:
        subject.told += [topic.rpartition(".")[2].replace("-", " ") for topic, _ in events]
        about = _first_of(books, [str(state[name]) for _, state in events for name in _NAMED if state.get(name)])
    if about is None:
        _add_messages(books, subject, events)
        return subject
    subject.told += [about.title, *about.told]
    subject.entries, subject.messages = about.entries, about.messages
    return subject


def _first_of(books: Books, identities_named: Sequence[str]) -> Subject | None:
    for identity in filter(as_uuid, dict.fromkeys(identities_named)):
        for find in _BY_ID:
            if subject := find(books, identity):
                return subject
    return None


_BY_ID = (_claim, _remittance, _money, _encounter, _message)
_NAMED = (
    "payment_id",
    "of_payment",
    "remittance_id",
    "deposit_id",
    "claim_id",
    "encounter_id",
    "account_id",
    "message_id",
)
