"""`throughline trace`."""

from __future__ import annotations

from typing import Annotated

import typer

from throughline.connection import StateOption, access_to
from throughline.outcome import Exit, NotFound, ends_with_a_code
from throughline.screen import JsonOption, show_json
from throughline.tracing.books import Books
from throughline.tracing.calls import GrpcBooks
from throughline.tracing.finding_origins import Origins
from throughline.tracing.following import Selection, TracedJournal, follow
from throughline.tracing.report import trace_report
from throughline.tracing.subjects import Subject, subject_of
from throughline.tracing.telling import tell

PARTS_SHOWN = 3
_EVERY_PART = 10**9


@ends_with_a_code
def trace(
    identity: Annotated[str, typer.Argument(metavar="ID", help="What to trace; see above.")],
    account: Annotated[str, typer.Option(help="Only lines of this account, such as eft-clearing.")] = "",
    party: Annotated[str, typer.Option(help="Only lines of this party, such as a payer.")] = "",
    parts: Annotated[int, typer.Option(min=1, help="How many parts of a line are followed further.")] = PARTS_SHOWN,
    every: Annotated[bool, typer.Option("--all", help="Follow every part.")] = False,
    open_bytes: Annotated[
        bool,
        typer.Option("--open", help="Show the bytes too, and compare them: PHI. Needs its own scope, is recorded."),
    ] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Follow money from its line at the ERP to the bytes it came from, adding up at every level.

    ID is an ERP external number, the ERP's own document, a journal entry, a claim, a patient control number (CLM01), a
    remittance, a payment, a deposit, a payout, an encounter, a message or an exception.

    Each journal line is compared with the line that the ERP holds now, with the sum of all of its subledger parts, and
    each part that is followed with the fact that its service tells: the payer's decision, the charges, the deposit or
    the payment, down to the message and the byte range. Bytes are shown with --open only, to a client with the scope
    intake.raw.read: THROUGHLINE_CLIENT_ID and THROUGHLINE_CLIENT_SECRET name another client than the suite's operator.

    The JSON has id, kind, adds_up, told, messages and journals: each with its lines (amount, amount_at_erp,
    amount_of_parts, part_count, adds_up, rest_count, rest_amount) and their parts (amount, rules, posting_id, event_id,
    claim_id, adds_up, origin with event, told, amounts, equation, places).

    Exit code: 0 everything adds up, 1 something does not or nothing has this id, 3 a service does not answer.
    """
    with access_to(state) as access:
        books = GrpcBooks(access)
        subject = subject_of(books, identity.strip())
        wanted = Selection(account, party, None, _EVERY_PART if every else parts, open_bytes)
        journals = _followed(books, subject, wanted)
    if account or party:
        journals = [journal for journal in journals if journal.lines]
        if not journals:
            raise NotFound(f"{subject.title} has no line of {account} {party}".rstrip())
    if as_json:
        show_json(trace_report(identity, subject, journals))
    else:
        tell(subject, journals)
    return Exit.OK if all(journal.adds_up for journal in journals) else Exit.REFUSED


def _followed(books: Books, subject: Subject, wanted: Selection) -> list[TracedJournal]:
    origins = Origins(books)
    return [
        follow(
            books,
            journal,
            Selection(wanted.account, wanted.party, only, wanted.parts_max, wanted.open_bytes),
            origins,
        )
        for journal, only in subject.entries
    ]
