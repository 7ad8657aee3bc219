"""What every ERP adapter promises, as checks that each of them is put through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from canonical.codes import AccountRole, Dimension
from canonical.ids import derive, external_number
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Unavailable
from ledger_adapter.application.ports import (
    Erp,
    ErpDocument,
    ErpJournal,
    ErpLine,
    ErpUncertain,
    Pending,
    PeriodState,
    Posted,
    RefusalKind,
    Refused,
)
from ledger_adapter.domain.journal_entry import differences_between

MARCH = date(2026, 3, 5)
DECEMBER = date(2027, 12, 5)
VALUES = {
    Dimension.PAYER_CLASS: "commercial",
    Dimension.DEPARTMENT: "RADIOLOGY",
    Dimension.COST_CENTER: "CC-30",
    Dimension.LOCATION: "MAIN",
}
"""What an ERP under test must know of each dimension that its books keep."""
ROUNDS_MAX = 8


class Trouble(StrEnum):
    """What may befall an ERP while documents are on their way to it."""

    ANSWER_LOST = "the work is done and nobody is told"
    ERROR_AFTER_WORK = "the work is done and an error is told"
    RESET_BEFORE_WORK = "the connection breaks before anything is done"
    RESET_WITHIN_BATCH = "a part is booked, then the connection breaks"
    THROTTLED = "429 before anything is done"
    THROTTLED_WITHIN_BATCH = "a part is booked, then 429"
    ERROR_BEFORE_WORK = "an error is told and nothing is done"
    SEEN_LATE = "what is booked is not shown by the next questions"


def no_trouble(trouble: Trouble) -> None:
    raise AssertionError(f"this ERP is not asked for trouble: {trouble}")


@dataclass
class ErpUnderTest:
    """An adapter with what is behind it; `work` lets the ERP do what it does by night.

    `ask_for` has the next posting meet a trouble; `is_met` tells whether everything that was asked for has struck.
    `restarted` is an adapter as a new process has it; where it is not given, `erp` has nothing to forget.
    """

    erp: Erp
    close_period: Callable[[str, date], None]
    work: Callable[[], None] = lambda: None
    ask_for: Callable[[Trouble], None] = no_trouble
    is_met: Callable[[], bool] = lambda: True
    restarted: Callable[[], Erp] | None = None

    def book(self, entity: str, *documents: ErpJournal) -> dict[str, ErpDocument | Refused]:
        """Posts as the posting protocol does, and says what became of each document in the end."""
        answers = self.erp.post(entity, documents)
        self.work()
        held = self.erp.find(entity, [document.number for document in documents])
        pending = [document for document in documents if isinstance(answers[document.number], Pending)]
        late = self.erp.post(entity, [document for document in pending if document.number not in held] or ())
        outcome: dict[str, ErpDocument | Refused] = {}
        for document in documents:
            found, answer = held.get(document.number), late.get(document.number) or answers[document.number]
            if isinstance(answer, Refused):
                outcome[document.number] = answer
                continue
            assert isinstance(found, ErpDocument), f"{document.number} is {found}, after {answer}"
            if isinstance(answer, Posted):
                assert found.document_id == answer.document_id
            outcome[document.number] = found
        return outcome

    def book_in_the_end(self, entity: str, documents: Sequence[ErpJournal]) -> dict[str, ErpDocument]:
        """Asks by number, posts what is not there, and asks again, until all are there: the protocol, without its store."""
        held: dict[str, ErpDocument] = {}
        for _ in range(ROUNDS_MAX):
            found = self.erp.find(entity, [document.number for document in documents])
            held = {number: document for number, document in found.items() if isinstance(document, ErpDocument)}
            if len(held) == len(documents):
                break
            self._post(entity, [document for document in documents if document.number not in found])
            self.work()
        return held

    def _post(self, entity: str, documents: Sequence[ErpJournal]) -> None:
        if not documents:
            return
        try:
            answers = self.erp.post(entity, documents)
        except ErpUncertain:
            return
        except Unavailable:
            booked = self.erp.find(entity, [document.number for document in documents])
            assert booked == {}, f"unavailable, and yet {sorted(booked)} are there"
            return
        for answer in answers.values():
            assert not isinstance(answer, Refused) or answer.kind is RefusalKind.NUMBER_TAKEN, answer


def document(
    name: str,
    amount: str = "100.00",
    *,
    credit: str = "",
    party: str = "ACME",
    day: date = MARCH,
    entity: str = "NORTH",
) -> ErpJournal:
    """Revenue billed to a payer."""
    return ErpJournal(
        number=external_number(derive("contract", name)),
        entity=entity,
        effective_date=day,
        lines=(
            ErpLine(account=AccountRole.AR_PAYER, party=party, amount=Money.of(amount)),
            ErpLine(account=AccountRole.GROSS_REVENUE, amount=-Money.of(credit or amount)),
        ),
    )


def as_journal_lines(journal: ErpJournal) -> list[JournalLine]:
    return [JournalLine(**dict(line)) for line in journal.lines]


def balance(subject: ErpUnderTest, entity: str, account: AccountRole, party: str = "") -> int:
    held = subject.erp.balances(entity)
    return sum(row.amount.minor for row in held if row.account is account and row.party == party)


def books_a_batch_and_finds_every_document_again_line_by_line(subject: ErpUnderTest) -> None:
    batch = [document(f"batch-{number}", f"{number + 1}.0{number}") for number in range(5)]
    outcome = subject.book("NORTH", *batch)
    for journal in batch:
        held = outcome[journal.number]
        assert isinstance(held, ErpDocument), held
        assert held.effective_date == journal.effective_date
        assert differences_between(as_journal_lines(journal), held.lines) == ()
    assert len({held.document_id for held in outcome.values() if isinstance(held, ErpDocument)}) == len(batch)


def finds_nothing_under_a_number_that_was_never_sent(subject: ErpUnderTest) -> None:
    assert subject.erp.find("NORTH", [document("never").number]) == {}


def never_books_a_number_twice(subject: ErpUnderTest) -> None:
    once = document("once", "7.77")
    assert isinstance(subject.book("NORTH", once)[once.number], ErpDocument)
    before = balance(subject, "NORTH", AccountRole.GROSS_REVENUE)
    again = subject.erp.post("NORTH", [once, document("companion", "1.00")])
    subject.work()
    refusal = again[once.number]
    assert isinstance(refusal, Refused)
    assert refusal.kind is RefusalKind.NUMBER_TAKEN
    assert balance(subject, "NORTH", AccountRole.GROSS_REVENUE) == before - 100


def refuses_one_document_and_books_its_batch(subject: ErpUnderTest) -> None:
    batch = [document(f"mixed-{number}", "3.00") for number in range(6)]
    batch[3] = document("mixed-3", "3.00", credit="2.99")
    outcome = subject.book("NORTH", *batch)
    refusal = outcome[batch[3].number]
    assert isinstance(refusal, Refused)
    assert refusal.kind is RefusalKind.INVALID
    assert sum(isinstance(held, ErpDocument) for held in outcome.values()) == 5


def refuses_a_receivable_without_its_party(subject: ErpUnderTest) -> None:
    journal = document("no-party", party="")
    refusal = subject.book("NORTH", journal)[journal.number]
    assert isinstance(refusal, Refused)
    assert refusal.kind is RefusalKind.INVALID


def names_a_closed_period(subject: ErpUnderTest) -> None:
    subject.close_period("SOUTH", DECEMBER)
    journal = document("late", day=DECEMBER, entity="SOUTH")
    refusal = subject.book("SOUTH", journal)[journal.number]
    assert isinstance(refusal, Refused)
    assert refusal.kind is RefusalKind.PERIOD_CLOSED


def keeps_balances_by_account_and_party_and_apart_by_entity(subject: ErpUnderTest) -> None:
    first = document("balance-1", "10.00", entity="SOUTH")
    subject.book("SOUTH", first)
    before = balance(subject, "SOUTH", AccountRole.AR_PAYER, "ACME")
    north = balance(subject, "NORTH", AccountRole.AR_PAYER, "ACME")
    outcome = subject.book(
        "SOUTH",
        document("balance-2", "20.00", entity="SOUTH"),
        document("balance-3", "5.00", party="MEDICARE", entity="SOUTH"),
    )
    assert all(isinstance(held, ErpDocument) for held in outcome.values())
    assert balance(subject, "SOUTH", AccountRole.AR_PAYER, "ACME") == before + 2000
    assert balance(subject, "SOUTH", AccountRole.AR_PAYER, "MEDICARE") == 500
    assert balance(subject, "NORTH", AccountRole.AR_PAYER, "ACME") == north


def revenue_by_dimension(subject: ErpUnderTest, entity: str) -> dict[tuple[Dimension, str], int]:
    told = subject.erp.dimension_balances(entity)
    return {(row.dimension, row.value): row.amount.minor for row in told if row.account is AccountRole.GROSS_REVENUE}


def tells_lines_of_income_apart_by_the_dimensions_that_it_keeps(subject: ErpUnderTest) -> None:
    kept = subject.erp.dimensions("NORTH")
    plain = document("by-dimension", "8.00")
    debit, credit = plain.lines
    told = credit.model_copy(update={dimension.value: VALUES[dimension] for dimension in kept})
    journal = plain.model_copy(update={"lines": (debit, told)})
    before = revenue_by_dimension(subject, "NORTH")
    held = subject.book("NORTH", journal)[journal.number]
    assert isinstance(held, ErpDocument), held
    assert differences_between(as_journal_lines(journal), held.lines) == ()
    after = revenue_by_dimension(subject, "NORTH")
    assert {dimension for dimension, _ in after} == kept
    for dimension in kept:
        place = (dimension, VALUES[dimension])
        assert after[place] == before.get(place, 0) - 800


def tells_of_periods_that_follow_each_other_and_which_are_closed(subject: ErpUnderTest) -> None:
    """An ERP that tells nothing of periods says so by telling none."""
    subject.close_period("SOUTH", DECEMBER)
    told = subject.erp.periods("SOUTH")
    assert all(period.start <= period.end for period in told)
    assert all(earlier.end < later.start for earlier, later in pairwise(told))
    state_on = {day: period.state for period in told for day in (MARCH, DECEMBER) if period.start <= day <= period.end}
    assert not told or state_on[MARCH] is PeriodState.OPEN
    assert not told or state_on[DECEMBER] is not PeriodState.OPEN


def books_every_document_once_through(subject: ErpUnderTest, trouble: Trouble) -> None:
    """Whatever befell the ERP: nothing is missing, nothing is there twice, and what was asked for did strike."""
    batch = [document(f"{trouble.name}-{number}", f"{number + 1}.00", party="MEDICARE") for number in range(6)]
    before = balance(subject, "NORTH", AccountRole.AR_PAYER, "MEDICARE")
    subject.ask_for(trouble)
    held = subject.book_in_the_end("NORTH", batch)
    assert subject.is_met(), f"nothing was {trouble}"
    for journal in batch:
        assert differences_between(as_journal_lines(journal), held[journal.number].lines) == ()
    assert len({each.document_id for each in held.values()}) == len(batch)
    questions = ROUNDS_MAX if trouble is Trouble.SEEN_LATE else 1
    shown = [balance(subject, "NORTH", AccountRole.AR_PAYER, "MEDICARE") for _ in range(questions)]
    assert shown[-1] == before + 2100


CONTRACT: Sequence[Callable[[ErpUnderTest], None]] = (
    books_a_batch_and_finds_every_document_again_line_by_line,
    finds_nothing_under_a_number_that_was_never_sent,
    never_books_a_number_twice,
    refuses_one_document_and_books_its_batch,
    refuses_a_receivable_without_its_party,
    names_a_closed_period,
    keeps_balances_by_account_and_party_and_apart_by_entity,
    tells_lines_of_income_apart_by_the_dimensions_that_it_keeps,
    tells_of_periods_that_follow_each_other_and_which_are_closed,
)
