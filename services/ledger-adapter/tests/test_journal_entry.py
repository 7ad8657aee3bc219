"""The life of a journal entry: legal moves only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from canonical.codes import AccountRole
from canonical.journal import JournalLine, Unbalanced
from chassis.testing import Happened, given, happened
from ledger_adapter.domain.journal_entry import (
    LEGAL_MOVES,
    IllegalMove,
    JournalEntry,
    JournalState,
    differences_between,
    digest_of,
)
from ledger_adapter.domain.posting_rules import RULES_VERSION
from ledger_adapter.domain.subledger import GroupKind

from .examples import DAY, ENTRY, HEAD, LINES, REMITTANCE, encounter_id, money

INTENDED = happened(
    JournalEntry.Intended,
    head=HEAD,
    lines=LINES,
    group_kind=GroupKind.REMITTANCE,
    group_id=REMITTANCE,
    posting_count=1,
    posting_digest="00",
)
PROBED = happened(JournalEntry.Probed)
POSTED = happened(JournalEntry.Posted, erp="fake", erp_document="D1")
UNCERTAIN = happened(JournalEntry.BecameUncertain, reason="timeout")
REJECTED = happened(JournalEntry.Rejected, code="ErpRejected", reason="no")
HELD = happened(JournalEntry.HeldForPeriod, reason="closed")
DIFFERED = happened(JournalEntry.Differed, differences=("cash",))
CONFIRMED = happened(JournalEntry.Confirmed, head=HEAD, lines=LINES, erp="fake", erp_document="D1")

HISTORIES: dict[JournalState, tuple[Happened, ...]] = {
    JournalState.UNKNOWN: (),
    JournalState.INTENDED: (INTENDED,),
    JournalState.PROBED: (INTENDED, PROBED),
    JournalState.POSTED: (INTENDED, PROBED, POSTED),
    JournalState.UNCERTAIN: (INTENDED, PROBED, UNCERTAIN),
    JournalState.REJECTED: (INTENDED, PROBED, REJECTED),
    JournalState.HELD_FOR_PERIOD: (INTENDED, PROBED, HELD),
    JournalState.DIFFERS: (INTENDED, PROBED, POSTED, DIFFERED),
    JournalState.CONFIRMED: (INTENDED, PROBED, POSTED, CONFIRMED),
}


def intend(entry: JournalEntry, lines: tuple[JournalLine, ...] = LINES) -> None:
    entry.intend(
        entity="NORTH",
        effective_date=DAY,
        lines=lines,
        group_kind=GroupKind.REMITTANCE,
        group_id=REMITTANCE,
        posting_ids=(encounter_id(1),),
    )


COMMANDS: dict[JournalState, Callable[[JournalEntry], object]] = {
    JournalState.INTENDED: intend,
    JournalState.PROBED: lambda entry: entry.record_probe(),
    JournalState.POSTED: lambda entry: entry.record_posted("fake", "D1"),
    JournalState.UNCERTAIN: lambda entry: entry.record_uncertain("timeout"),
    JournalState.REJECTED: lambda entry: entry.record_rejected("ErpRejected", "no"),
    JournalState.HELD_FOR_PERIOD: lambda entry: entry.hold_for_period("closed"),
    JournalState.DIFFERS: lambda entry: entry.record_differences(("cash",)),
    JournalState.CONFIRMED: lambda entry: entry.confirm(),
}


@pytest.mark.parametrize("target", COMMANDS)
@pytest.mark.parametrize("state", HISTORIES)
def test_only_legal_moves_are_made(state: JournalState, target: JournalState) -> None:
    outcome = given(JournalEntry, HISTORIES[state], identity=ENTRY).when(COMMANDS[target])
    if target in LEGAL_MOVES[state]:
        assert outcome.refusal is None
        assert len(outcome.events) == 1
    else:
        outcome.then_refused(IllegalMove, f"{state}.*{target}")


@pytest.mark.parametrize(
    ("state", "target"),
    [
        (JournalState.REJECTED, JournalState.INTENDED),
        (JournalState.HELD_FOR_PERIOD, JournalState.INTENDED),
        (JournalState.DIFFERS, JournalState.POSTED),
    ],
)
def test_a_stopped_entry_is_resumed_by_a_person(state: JournalState, target: JournalState) -> None:
    given(JournalEntry, HISTORIES[state], identity=ENTRY).when(lambda entry: entry.resume("mended")).then(
        happened(JournalEntry.Resumed, state=target, reason="mended")
    )


@pytest.mark.parametrize("state", [JournalState.INTENDED, JournalState.UNCERTAIN, JournalState.CONFIRMED])
def test_an_entry_that_nothing_stopped_is_not_resumed(state: JournalState) -> None:
    outcome = given(JournalEntry, HISTORIES[state], identity=ENTRY).when(lambda entry: entry.resume("mended"))
    outcome.then_refused(IllegalMove)


def test_the_external_number_follows_from_the_entry() -> None:
    given(JournalEntry, identity=ENTRY).when(intend).then(
        happened(
            JournalEntry.Intended,
            **INTENDED.fields
            | {
                "head": HEAD.model_copy(update={"rules_version": RULES_VERSION}),
                "posting_digest": digest_of([encounter_id(1)]),
            },
        )
    )


def test_an_unbalanced_entry_is_never_intended() -> None:
    lines = (LINES[0], LINES[1].model_copy(update={"amount": money("59.99")}))
    with pytest.raises(Unbalanced, match=r"-0\.01"):
        given(JournalEntry, identity=ENTRY).when(lambda entry: intend(entry, lines))


def test_the_digest_does_not_depend_on_the_order_of_postings() -> None:
    ids = [encounter_id(number) for number in range(5)]
    assert digest_of(ids) == digest_of(reversed(ids))
    assert digest_of(ids) != digest_of(ids[1:])


def test_lines_are_compared_by_account_and_party_to_the_cent() -> None:
    same = (LINES[1], LINES[0])
    assert differences_between(LINES, same) == ()
    other_party = (LINES[0].model_copy(update={"party": "BLUEOAK"}), LINES[1])
    assert len(differences_between(LINES, other_party)) == 2
    split = (
        *LINES[:1],
        JournalLine(account=AccountRole.EFT_CLEARING, amount=money("20.00")),
        JournalLine(account=AccountRole.EFT_CLEARING, amount=money("40.00")),
    )
    assert differences_between(LINES, split) == ()
