"""`throughline statement`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from billing.common.v1 import common_pb2
from billing.payments.v1 import patient_accounts_pb2 as pb
from billing.payments.v1 import payments_pb2

from throughline.connection import StateOption
from throughline.outcome import Exit, NotFound, Unusable, ends_with_a_code
from throughline.paying.calls import AsOfOption, KnownAtOption, PatientMoney, patient_money
from throughline.screen import Column, JsonOption, say, show_json, show_table
from throughline.wire import amount_text, data_of, identity_in, money_of

FORMS = (".html", ".pdf")
_SUMS = ("charged", "insurance_paid", "adjusted", "waiting", "share", "given_up", "paid", "open")
_VISITS = (Column("visit"), *(Column(name.replace("_", " "), right=True) for name in _SUMS))
_LINES = (Column("date"), Column("amount", right=True), Column("what", flexible=True))
_AGES = (Column("age"), Column("amount", right=True))


@ends_with_a_code
def statement(
    identity: Annotated[str, typer.Argument(metavar="ACCOUNT|PATIENT", help="An account, or the patient of only one.")],
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    out: Annotated[Path | None, typer.Option(help="Write it as the patient gets it: a file .html or .pdf.")] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show the statement of an account in plain words: each visit, every line, and how old what is owed is.

    The JSON has account_id, entity, patient_id, as_of, visits, lines, ages, balance, unapplied and adds_up.

    Exit code: 1 where there is no such account, or where the statement does not add up.
    """
    form = out.suffix.lower() if out else ""
    if out and form not in FORMS:
        raise Unusable(f"--out: a file that ends in {' or '.join(FORMS)}")
    wanted = identity_in(identity, "an account or a patient")
    with patient_money(state) as money:
        request = pb.GetStatementRequest(as_of=as_of, known_at=known_at, format=form.removeprefix("."))
        told = _statement(money, wanted, request)
    if out:
        _write(out, told.document)
    if as_json:
        show_json({name: value for name, value in data_of(told).items() if name not in ("document", "media_type")})
    else:
        _tell(told)
    return Exit.OK if told.adds_up else Exit.REFUSED


def _statement(money: PatientMoney, wanted: str, request: pb.GetStatementRequest) -> pb.GetStatementResponse:
    request.account_id = wanted
    try:
        return money.ask(money.accounts.GetStatement, request)
    except NotFound:
        request.account_id = _account_of(money, wanted)
    return money.ask(money.accounts.GetStatement, request)


def _account_of(money: PatientMoney, patient_id: str) -> str:
    """The patient's account, where there is only one."""
    request = payments_pb2.GetPatientBalanceRequest(patient_id=patient_id)
    found = money.ask(money.payments.GetPatientBalance, request).accounts
    if len(found) != 1:
        named = ", ".join(f"{each.account_id} at {each.entity}" for each in found)
        raise Unusable(f"{len(found)} accounts: {named}; a statement is of one of them")
    return found[0].account_id


def _write(out: Path, document: bytes) -> None:
    try:
        out.write_bytes(document)
    except OSError as error:
        raise Unusable(f"{out} cannot be written: {error.strerror}") from None


def _tell(told: pb.GetStatementResponse) -> None:
    say(f"Statement of {told.as_of}: {_amount(told.balance)} is owed to {told.entity}", style="bold")
    if told.unapplied.minor:
        say(f"{_amount(told.unapplied)} of cash pays nothing yet.")
    show_table(_VISITS, ([visit.on, *(_amount(getattr(visit, name)) for name in _SUMS)] for visit in told.visits))
    show_table(_LINES, ([line.on, _amount(line.amount), line.explanation] for line in told.lines))
    show_table(_AGES, ([each.age, _amount(each.amount)] for each in told.ages))
    if told.adds_up:
        say("Lines, visits and ages add up to the balance.", style="green")
    else:
        say("Lines, visits and ages do not add up to the balance.", style="bold red")


def _amount(sent: common_pb2.Money) -> str:
    return amount_text(money_of(sent))
