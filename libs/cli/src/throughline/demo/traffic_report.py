"""The payers' second thoughts, told as a biller would tell them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from canonical.money import Money

from throughline.demo.denial_work import WorkedDenial
from throughline.demo.revised_facts import RevisedClaim
from throughline.demo.traffic_facts import ClaimStory, TrafficFacts
from throughline.screen import Column, say, show_table
from throughline.wire import amount_text

_DECISIONS = (
    Column("date"),
    Column("remittance"),
    Column("what the payer said", flexible=True),
    Column("charged", right=True),
    Column("paid", right=True),
    Column("contract", right=True),
    Column("denied", right=True),
    Column("patient", right=True),
)


def tell_traffic(facts: TrafficFacts, head: Callable[[str], None]) -> None:
    """A small table each; nothing for what the story did not have."""
    if facts.denial and facts.denial_work:
        head("A denial worked to recovery")
        _tell_denial(facts.denial, facts.denial_work)
    if facts.correction:
        head("A payment reversed and corrected")
        _tell_decisions(facts.correction)
        say(f"Nothing was overwritten: the three decisions add up to {amount_text(facts.correction.paid)} paid.")
    if facts.next_payers:
        head("Claims to the next payer")
        _tell_next_payers(facts)
    if facts.chain:
        head("A balance that a payer carried forward to zero")
        _tell_chain(facts)


def tell_revised(revised: Sequence[RevisedClaim], head: Callable[[str], None]) -> None:
    """Charges that changed after they were billed and paid; nothing where the story had none."""
    if not revised:
        return
    head("Charges that changed after they were billed and paid")
    columns = [
        Column("claim"),
        Column("payer"),
        Column("what the EHR said", flexible=True),
        Column("charged", right=True),
        Column("now", right=True),
        Column("the payer was sent"),
        Column("had paid", right=True),
        Column("pays now", right=True),
        Column("state"),
    ]
    rows = [
        [
            each.story.claim,
            each.story.payer,
            each.said,
            amount_text(each.charge_before),
            amount_text(each.charge_now),
            each.sent_as,
            amount_text(each.paid_before),
            amount_text(each.story.paid),
            each.story.state,
        ]
        for each in revised
    ]
    show_table(columns, rows)
    say("What had been booked for the old charges was mirrored, and the new charges were booked as they are (J02);")
    say("each payer took back what it had paid and decided again, and nothing was overwritten.")


def _tell_denial(story: ClaimStory, work: WorkedDenial) -> None:
    _tell_decisions(story)
    say(
        f"Denied on {work.denied_on} for {', '.join(work.reasons)}: {work.category}, queue {work.queue}, worked by "
        f"{work.owner}, to be appealed by {work.appeal_by}."
    )
    for happened in work.history:
        say(f"  {happened}")
    amounts = [Column(title, right=True) for title in ("first denied", "at risk", "recovered", "written off")]
    row = [*map(amount_text, (work.amount, work.at_risk, work.recovered, work.written_off)), work.state, work.outcome]
    show_table([*amounts, Column("state"), Column("outcome")], [row])
    say(
        f"Of the {amount_text(work.recovered)} that the payer denies no more it paid {amount_text(story.paid)}; the "
        "contract takes off the rest."
    )


def _tell_decisions(story: ClaimStory) -> None:
    say(f"Claim {story.claim} to {story.payer}")
    rows = [
        [
            each.on,
            each.trace_number,
            each.what,
            *map(_amount, (each.charge, each.paid, each.contractual, each.denied, each.patient)),
        ]
        for each in story.decisions
    ]
    show_table(_DECISIONS, rows)


def _tell_next_payers(facts: TrafficFacts) -> None:
    columns = [
        Column("claim"),
        Column("first payer"),
        Column("charged", right=True),
        Column("it paid", right=True),
        Column("it left", right=True),
        Column("next payer"),
        Column("paid", right=True),
        Column("left to the patient", right=True),
        Column("state"),
    ]
    rows = [
        [
            each.claim,
            each.first_payer,
            _amount(each.charge),
            _amount(each.first_paid),
            _amount(each.left_over),
            each.payer,
            _amount(each.paid),
            _amount(each.left_to_patient),
            each.state,
        ]
        for each in facts.next_payers
    ]
    show_table(columns, rows)
    say(
        f"{facts.next_payer_claims} claims went to a second payer with what the first one paid and took off (COB); "
        f"{amount_text(facts.next_payers_paid)} came back. The largest are shown."
    )


def _tell_chain(facts: TrafficFacts) -> None:
    say(f"Between {facts.chain_of}")
    columns = [
        Column("date"),
        Column("remittance"),
        Column("for claims", right=True),
        Column("taken from before", right=True),
        Column("carried forward", right=True),
        Column("deposit", right=True),
        Column("still owed to the payer", right=True),
    ]
    rows = [
        [
            each.on,
            each.trace_number,
            *map(_amount, (each.paid, each.taken, each.forwarded, each.payment, each.still_owed)),
        ]
        for each in facts.chain
    ]
    show_table(columns, rows)
    say(f"Open between the two at the end: {amount_text(facts.chain_open)}")


def _amount(amount: Money) -> str:
    return amount_text(amount) if amount else ""
