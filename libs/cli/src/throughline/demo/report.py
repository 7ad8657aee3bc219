"""The end of the story, as a person would want to read it."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.money import Money

from throughline.checker.result import Result
from throughline.demo.facts import Facts
from throughline.demo.mapping_work import MappedCode
from throughline.demo.platform import ENTITY_OF_THE_PLATFORM, PLATFORM
from throughline.demo.story import Told
from throughline.demo.traffic_report import tell_revised, tell_traffic
from throughline.screen import Column, say, show_table
from throughline.tracing.following import TracedJournal
from throughline.tracing.subjects import Subject
from throughline.tracing.telling import tell as tell_trace
from throughline.wire import amount_text


def tell(told: Told, results: Sequence[Result], subject: Subject, journals: list[TracedJournal], state: str) -> None:
    """Prints everything, in the order in which it happened."""
    facts = told.facts
    _came_in(told, facts)
    if facts.mapping:
        _mapped(facts.mapping)
    _went_out(facts)
    _went_outside(*told.worked_outside)
    _money(told, facts)
    tell_revised(facts.revised, _head)
    tell_traffic(facts.traffic, _head)
    _ledger(facts)
    _oracle(facts)
    _exceptions(facts)
    _reconciliation(facts)
    _head("One journal line, followed back to the bytes it came from")
    tell_trace(subject, journals)
    _invariants(results)
    _timings(told, state)


def _head(text: str) -> None:
    say(f"\n{text}", "bold")


def _came_in(told: Told, facts: Facts) -> None:
    _head("What came in")
    scenario = told.scenario
    say(
        f"{len(scenario.encounters)} encounters of two legal entities, {amount_text(scenario.total)} of charges: "
        f"{told.sent.bundles} FHIR bundles and {told.sent.messages} HL7 messages, {told.sent.refused} refused at the door"
    )
    say(
        f"{told.later.bundles + told.later.messages} messages more changed charges that were paid, "
        f"{told.later.refused} refused"
    )
    columns = [Column("format"), Column("verdict"), Column("messages", right=True)]
    show_table(columns, [[kind, state, str(count)] for kind, state, count in facts.came_in])
    for kind, name, finding in facts.quarantined:
        say(f"quarantined {kind} {name}: {finding}")
    ends = {"merged": "the EHR said so itself, and they are one person", "open": "a person is asked"}
    for state, likeness, score in facts.patient_pairs:
        say(f"two patients who may be one, {score} of 100 points ({likeness}): {ends[state]}")


def _mapped(mapping: MappedCode) -> None:
    _head("A payer code that nobody knew")
    say(
        f"{mapping.source} called {mapping.ours} {mapping.code}: {mapping.encounters} encounters with "
        f"{amount_text(mapping.held)} of charges waited on one work item"
    )
    say(
        f"{mapping.proposer} proposed the mapping and could not approve it ({mapping.refused}); {mapping.approver} did: "
        f"version {mapping.version} of master data, and the charges became claims and journals"
    )


def _went_out(facts: Facts) -> None:
    _head("What went out, and what became of it")
    files, count, total = facts.interchanges
    say(f"{files} interchanges with {count} claims, {amount_text(total)}")
    columns = [Column("claims as payers read them"), Column("claims", right=True), Column("charged", right=True)]
    show_table(columns, [[kind, str(number), amount_text(charge)] for kind, number, charge in facts.read_by_payers])
    columns = [Column("claims in state"), Column("claims", right=True), Column("charged", right=True)]
    show_table(columns, [[state, str(number), amount_text(charge)] for state, number, charge in facts.claims])


def _went_outside(batches: int, transactions: int, reports: int) -> None:
    say(
        f"the claims of {ENTITY_OF_THE_PLATFORM} are worked by {PLATFORM}: {batches} batches with {transactions} transactions went to it,"
    )
    say(f"and its {reports} reports say what became of them; its payments stand in the same books as all others")


def _money(told: Told, facts: Facts) -> None:
    _head("What was paid")
    count, claims, total = facts.remittances
    columns = [Column(""), Column("number", right=True), Column("amount", right=True), Column("of note")]
    deposits, loose, deposited = facts.deposits
    cards, nameless, paid = facts.card_payments
    payouts, tied, net = facts.payouts
    rows = [
        [
            "remittances posted",
            str(count),
            amount_text(total),
            f"{claims} claims; {facts.duplicate_remittances} duplicate posted once",
        ],
        ["bank deposits", str(deposits), amount_text(deposited), f"{loose} with nothing to match"],
        ["card payments", str(cards), amount_text(paid), f"{nameless} that names nobody"],
        ["payouts", str(payouts), amount_text(net), f"after fees; {tied} tied to a deposit at the bank"],
    ]
    show_table(columns, rows)
    if told.electronic:
        say(
            f"the bank told of {amount_text(Money.total(told.electronic))} in {len(told.electronic)} of the deposits by the entries of "
            "the transfers themselves (NACHA) instead of a statement"
        )
    for worked in told.by_two:
        say(worked.in_words())
    for move in facts.came_back:
        say(move.in_words())
    say(
        f"Faults the outside world committed: {', '.join(told.struck) or 'none'}; and the ERP was down for some seconds."
    )


def _ledger(facts: Facts) -> None:
    _head("Journals")
    show_table(
        [Column("kind"), Column("state"), Column("entries", right=True)],
        [[kind, state, str(count)] for kind, state, count in facts.journals],
    )
    _head("Trial balance, read back from Tryton (debit positive)")
    columns = [
        Column("entity"),
        Column("account"),
        Column("party"),
        Column("ours", right=True),
        Column("Tryton", right=True),
        Column("difference", right=True),
    ]
    rows = [
        [
            line.entity,
            line.account,
            line.party,
            amount_text(line.ours),
            amount_text(line.erp),
            amount_text(line.difference),
        ]
        for line in facts.balances
    ]
    show_table(columns, rows)
    ours = Money.total(line.ours for line in facts.balances)
    erp = Money.total(line.erp for line in facts.balances)
    say(f"Debits minus credits: ours {amount_text(ours)}, Tryton {amount_text(erp)}")


def _oracle(facts: Facts) -> None:
    off = [line for line in facts.oracle if line.difference]
    if off:
        columns = [Column("entity"), Column("account"), Column("party"), Column("ours", right=True)]
        rows = [[line.entity, line.account, line.party, *map(amount_text, (line.ours, line.expected))] for line in off]
        show_table([*columns, Column("by the payers' decisions", right=True)], rows)
    say(
        f"Payers' money by their own decisions, computed apart from the services: {len(facts.oracle) - len(off)} of "
        f"{len(facts.oracle)} balances agree to the cent"
    )


def _exceptions(facts: Facts) -> None:
    _head("Exceptions waiting for a person")
    columns = [Column("service"), Column("rule"), Column("amount", right=True), Column("why", flexible=True)]
    show_table(columns, [[case.service, case.code, amount_text(case.amount), case.summary] for case in facts.cases])


def _reconciliation(facts: Facts) -> None:
    _head("Reconciliation: billing, our ledger, the ERP")
    columns = [
        Column("control"),
        Column("compared"),
        Column("entity"),
        Column("of"),
        Column("ours", right=True),
        Column("theirs", right=True),
        Column("residual", right=True),
        Column("unexplained", right=True),
        Column("verdict"),
    ]
    shown = [line for line in facts.controls if line.residual or line.unexplained]
    rows = [
        [
            line.control,
            line.compared,
            line.entity,
            line.party,
            amount_text(line.ours),
            amount_text(line.theirs),
            amount_text(line.residual),
            amount_text(line.unexplained),
            line.verdict,
        ]
        for line in shown
    ]
    agree = len(facts.controls) - len(shown)
    if rows:
        show_table(columns, rows)
    for line in shown:
        for reason in line.reasons:
            say(f"  {line.control} {line.entity} {line.party}: {reason}")
    say(
        f"{agree} of {len(facts.controls)} comparisons agree to the cent; unexplained in all: {amount_text(facts.unexplained)}"
    )


def _invariants(results: Sequence[Result]) -> None:
    _head("Invariants, checked independently of the services")
    columns = [Column("name"), Column("what must hold", flexible=True), Column("holds")]
    verdicts = {True: "yes", False: "NO", None: "skipped"}
    show_table(columns, [[result.name, result.title, verdicts[result.holds]] for result in results])
    for result in results:
        for failure in result.failures:
            say(f"  {result.name}: {failure}", "bold red")


def _timings(told: Told, state: str) -> None:
    _head("Timings")
    rows = [[chapter, f"{seconds:.1f}"] for chapter, seconds in told.seconds.items()]
    rows.append(["in all", f"{sum(told.seconds.values()):.1f}"])
    show_table([Column("chapter"), Column("seconds", right=True)], rows)
    say(f"Everything is kept in {state}. Where to look next:")
    say("  throughline check                 the invariants again, on the stopped suite")
    say("  throughline up                    start it again on the same data, and leave it running")
    say("  throughline exceptions list       what waits for a person (while it runs)")
    say("  throughline trace NUMBER          any journal of the ERP back to the bytes (while it runs)")
    say("  docs/architecture.md              how it works, on one page")
