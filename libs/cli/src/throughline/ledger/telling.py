"""Journal entries, balances and periods in an accountant's words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from billing.common.v1 import common_pb2
from billing.ledger.v1 import ledger_desk_pb2 as desk
from billing.ledger.v1 import ledger_pb2 as pb

from throughline.screen import Column, say, short, show_table
from throughline.wire import amount_text, money_of

_DEBIT, _CREDIT = Column("debit", right=True), Column("credit", right=True)
_JOURNALS = (
    Column("number"),
    Column("entity"),
    Column("kind"),
    Column("date"),
    Column("state"),
    Column("debits", right=True),
    Column("at the ERP"),
    Column("why it waits", flexible=True),
)
_BALANCES = (
    Column("entity"),
    Column("account"),
    Column("party"),
    Column("booked here", right=True),
    Column("in entries", right=True),
    Column("confirmed", right=True),
)
_COMPARED = (
    Column("account"),
    Column("code"),
    Column("by"),
    Column("ours", right=True),
    Column("the ERP", right=True),
    Column("difference", right=True),
)
_PERIODS = (
    Column("entity"),
    Column("period"),
    Column("from"),
    Column("until"),
    Column("state"),
    Column("late entries"),
    Column("held", right=True),
    Column("told by"),
)
_LATE = (Column("booked on"), Column("its date"), Column("number"), Column("kind"), Column("debits", right=True))
_LINES = (Column("account"), Column("code"), Column("party"), Column("dimensions"), _DEBIT, _CREDIT)
_DRAFTED = (Column("rule"), Column("account"), Column("party"), _DEBIT, _CREDIT, Column("what it is", flexible=True))


def tell_journals(told: pb.ListJournalsResponse) -> None:
    if told.journals:
        show_table(_JOURNALS, map(_journal, told.journals))
    else:
        say("No journal entries.")


def tell_balances(told: pb.TrialBalanceResponse) -> None:
    shown = [row for row in told.balances if row.subledger.minor or row.intended.minor or row.confirmed.minor]
    show_table(_BALANCES, map(_balance, shown))
    totals = [
        amount_text(money_of(common_pb2.Money(minor=sum(getattr(row, name).minor for row in shown))))
        for name in ("subledger", "intended", "confirmed")
    ]
    say(f"They add up to {', '.join(totals)}, at position {told.log_position} of the ledger's log.")


def agrees(told: desk.CompareBalancesResponse) -> bool:
    """Whether both sides say the same everywhere."""
    return all(row.ours.minor == row.theirs.minor for row in (*told.balances, *told.by_dimension))


def tell_comparison(told: desk.CompareBalancesResponse) -> None:
    """Ours beside the ERP's, and a sentence."""
    show_table(_COMPARED, map(_compared, told.balances), title="By account and party")
    if told.by_dimension:
        show_table(_COMPARED, map(_compared, told.by_dimension), title="By account and dimension")
    rows = (*told.balances, *told.by_dimension)
    wrong = sum(row.ours.minor != row.theirs.minor for row in rows)
    say(f"{len(rows)} balances compared with {told.erp}: " + (f"{wrong} differ." if wrong else "all agree."))


def tell_periods(told: desk.ListPeriodsResponse) -> None:
    if told.periods:
        show_table(_PERIODS, map(_period, told.periods))
    else:
        say("No ERP has told its periods yet; each refuses what it does not take.")


def tell_late(told: desk.ListLateJournalsResponse) -> None:
    """The prior-period report."""
    if not told.journals:
        say("No entry was booked in a later period than its own.")
        return
    show_table(_LATE, map(_late, told.journals))
    show_table(_LINES, (_line(line, "") for line in told.totals), title="Together")


def tell_presented(told: desk.PresentCreditBalancesResponse) -> None:
    """What stands of the credit balances of a period."""
    if not told.journals:
        say(f"Nobody has a credit balance on {told.period_end}.")
        return
    made = "Shown" if told.is_new else "Shown before, and unchanged"
    count = f"{told.credit_count} credit balance" + ("" if told.credit_count == 1 else "s")
    say(f"{made}: {count} of {amount_text(money_of(told.amount))} on {told.period_end}, and taken back the day after.")
    show_table(_JOURNALS, map(_journal, told.journals))


def tell_dry_run(told: desk.DryRunResponse) -> None:
    """What would be booked, in the order in which it would happen."""
    if told.refusal:
        say(f"Refused, and a case for a person: {told.refusal}")
    if told.waits_for:
        say(f"It would wait: {told.waits_for}")
    if told.stands:
        say("Booked before; it would not be booked again.")
    if told.lines:
        show_table(_DRAFTED, map(_drafted, told.lines), title="The subledger would book")
    if told.joins:
        show_table(_LINES, (_line(line, "") for line in told.joins), title="Its batch or remittance would get")
    for journal in told.journals:
        _tell_drafted_journal(journal)


def tell_explanation(told: desk.ExplainJournalResponse) -> None:
    """The head, the lines as a journal is written, then each line with its causes."""
    journal = told.journal
    say(f"Journal {journal.external_number}, {journal.kind} of {journal.entity}, {journal.effective_date}")
    at = f"{journal.erp} document {journal.erp_document}" if journal.erp_document else "not at the ERP yet"
    say(f"{journal.state}, {at}; {_count(journal.posting_count, 'fact')}, rules {journal.rules_version}")
    if journal.reason:
        say(f"It waits: {journal.reason}")
    show_table(_LINES, (_line(each.line, each.account_code) for each in told.lines))
    for each in told.lines:
        say(f"{_side(each.line)} {each.line.account}{_of_party(each.line)}: {_absolute(each.line.amount)}", "bold")
        for cause in each.causes:
            _tell_cause(cause)
        say()
    say(f"throughline trace {journal.external_number} follows any line of it to the bytes that it came from.")


def _tell_cause(cause: desk.LineCause) -> None:
    rules = "; ".join(f"{code} {words}" for code, words in zip(cause.rules, cause.words, strict=True))
    say(f"  {amount_text(money_of(cause.amount))} by {_count(cause.count, 'fact')}: {rules}")
    for part in cause.examples:
        say(f"    {part.effective_date} {amount_text(money_of(part.line.amount))} {_where(part)}")
    if cause.count > len(cause.examples):
        say(f"    and {cause.count - len(cause.examples)} more")


def _where(part: pb.Part) -> str:
    """What a person looks the fact up by."""
    names = (
        ("claim", part.claim_id),
        ("encounter", part.encounter_id),
        ("item", "" if part.claim_id or part.encounter_id else part.item_id),
    )
    found = [f"{name} {identity}" for name, identity in names if identity]
    if part.remittance_position >= 0:
        found.append(f"payment {part.remittance_position + 1} of remittance {short(part.item_id)}")
    return ", ".join(found)


def _tell_drafted_journal(journal: desk.DraftedJournal) -> None:
    say(f"Journal {journal.external_number}, {journal.kind} of {journal.entity}, {journal.effective_date}")
    if journal.held:
        say(f"It would wait: {journal.held}")
        show_table(_LINES, (_line(line, "") for line in journal.lines))
        return
    when = "" if journal.booked_on == journal.effective_date else f", booked on {journal.booked_on}"
    title = f"The ERP would get{when}"
    show_table(_LINES, (_line(each.line, each.account_code) for each in journal.document), title=title)


def _journal(journal: pb.Journal) -> Sequence[str]:
    debits = sum(line.amount.minor for line in journal.lines if line.amount.minor > 0)
    return (
        journal.external_number,
        journal.entity,
        journal.kind,
        journal.effective_date,
        journal.state,
        amount_text(money_of(common_pb2.Money(minor=debits))),
        journal.erp_document,
        journal.reason,
    )


def _balance(row: pb.AccountBalance) -> Sequence[str]:
    amounts = (row.subledger, row.intended, row.confirmed)
    return (row.entity, row.account, row.party, *(amount_text(money_of(amount)) for amount in amounts))


def _compared(row: desk.ComparedBalance) -> Sequence[str]:
    by = f"{row.dimension} {row.value or '(none)'}" if row.dimension else row.party
    left, right = money_of(row.ours), money_of(row.theirs)
    difference = amount_text(left - right) if left != right else ""
    return (row.account, row.account_code, by, amount_text(left), amount_text(right), difference)


def _period(period: desk.Period) -> Sequence[str]:
    held = str(period.held) if period.held else ""
    days = (period.start, period.end)
    return (period.entity, period.name, *days, period.state, period.late_entries, held, period.erp)


def _late(late: desk.LateJournal) -> Sequence[str]:
    number, _, kind, day, _, debits, *_ = _journal(late.journal)
    return (late.booked_on, day, number, kind, debits)


def _line(line: pb.Line, code: str) -> Sequence[str]:
    return (line.account, code, line.party, " ".join(_dimensions(line)), *_sides(line.amount))


def _drafted(drafted: desk.DraftedLine) -> Sequence[str]:
    line = drafted.line
    return (drafted.rule, line.account, line.party, *_sides(line.amount), drafted.words)


def _dimensions(line: pb.Line) -> Iterable[str]:
    return filter(None, (line.payer_class, line.department, line.cost_center, line.location))


def _sides(amount: common_pb2.Money) -> tuple[str, str]:
    """Debit and credit, one of them empty."""
    shown = _absolute(amount)
    return (shown, "") if amount.minor >= 0 else ("", shown)


def _absolute(amount: common_pb2.Money) -> str:
    return amount_text(abs(money_of(amount)))


def _side(line: pb.Line) -> str:
    return "Debit" if line.amount.minor >= 0 else "Credit"


def _of_party(line: pb.Line) -> str:
    more = [*filter(None, [line.party]), *_dimensions(line)]
    return f" ({', '.join(more)})" if more else ""


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
