"""`throughline balance`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import patient_accounts_pb2, patient_accounts_pb2_grpc, payments_pb2_grpc
from billing.payments.v1 import payments_pb2 as pb

from throughline.balance.statement import GIVEN_UP, Account, Activity, Statement
from throughline.connection import Access, StateOption, access_to
from throughline.outcome import Exit, NotFound, ends_with_a_code
from throughline.paying.calls import AsOfOption, KnownAtOption
from throughline.screen import Column, JsonOption, say, show_json, show_table
from throughline.wire import amount_text, identity_in, money_of

_ACCOUNTS = (
    Column("account"),
    Column("entity"),
    *(Column(title, right=True) for title in ("responsibility", "written off", "applied", "unapplied", "balance")),
)
_CAUSES = {"application": "payment", **dict.fromkeys(GIVEN_UP, "write-off")}
_ACTIVITY = (Column("date"), Column("entity"), Column("kind"), Column("amount", right=True), Column("of"))


@ends_with_a_code
def balance(
    identity: Annotated[str, typer.Argument(metavar="PATIENT|ACCOUNT", help="A patient's pseudonym or an account.")],
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say what a person owes, as every patient who is merged with them, and every line behind it. Nobody is named.

    The JSON has balance, adds_up, person_id, merged_patient_ids, accounts (account_id, entity, patient_id, responsibility,
    written_off, applied, unapplied, balance) and activity (account_id, kind, amount, effective_date, source_id, claim_id, encounter_id).

    Exit code: 1 where there is no such account, or where the lines do not make up the balance.
    """
    wanted = identity_in(identity, "a patient or an account")
    with access_to(state) as access:
        if as_of or known_at:
            statement = _statement_then(access, wanted, as_of, known_at)
        else:
            statement = _statement(access, wanted)
    if as_json:
        show_json(statement.as_data())
    else:
        _show(statement)
    return Exit.OK if statement.adds_up else Exit.REFUSED


def _statement(access: Access, wanted: str) -> Statement:
    stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
    requests = (pb.GetPatientBalanceRequest(patient_id=wanted), pb.GetPatientBalanceRequest(account_id=wanted))
    for request in requests:
        try:
            answer = access.call("payments", stub.GetPatientBalance, request)
        except NotFound:
            continue
        if answer.accounts:
            return Statement(
                tuple(map(_account, answer.accounts)),
                money_of(answer.balance),
                tuple(map(_activity, answer.activity)),
                answer.person_id,
                tuple(answer.merged_patient_ids),
            )
    raise NotFound(f"no patient and no account has the id {wanted}")


def _statement_then(access: Access, wanted: str, as_of: str, known_at: str) -> Statement:
    """As of a day, as it was known at an instant: rebuilt from the log, with the facts alone as lines."""
    stub = patient_accounts_pb2_grpc.PatientAccountsServiceStub(access.channel("payments"))
    requests = (
        patient_accounts_pb2.GetBalanceRequest(patient_id=wanted, as_of=as_of, known_at=known_at),
        patient_accounts_pb2.GetBalanceRequest(account_id=wanted, as_of=as_of, known_at=known_at),
    )
    for request in requests:
        try:
            answer = access.call("payments", stub.GetBalance, request)
        except NotFound:
            continue
        return Statement(
            tuple(_account(each.account) for each in answer.accounts),
            money_of(answer.balance),
            tuple(_activity(line) for each in answer.accounts for line in each.lines),
            answer.person_id,
            tuple(answer.merged_patient_ids),
        )
    raise NotFound(f"no patient and no account has the id {wanted}, or none had a fact by then")


def _show(statement: Statement) -> None:
    say(f"Balance {amount_text(statement.balance)}", style="bold")
    if statement.of_whom:
        say(statement.of_whom)
    for account in statement.accounts:
        for sentence in account.in_words():
            say(sentence)
    whose = Column("patient")
    several = bool(statement.merged_patient_ids)
    rows = (
        [each.account_id, *([each.patient_id] if several else []), each.entity, *_amounts(each)]
        for each in statement.accounts
    )
    show_table((_ACCOUNTS[0], whose, *_ACCOUNTS[1:]) if several else _ACCOUNTS, rows)
    entities = {account.account_id: account.entity for account in statement.accounts}
    show_table(_ACTIVITY, (_row(line, entities.get(line.account_id, "")) for line in statement.activity))
    if statement.adds_up:
        say("The lines add up to the balance.", style="green")
    else:
        say("The lines do not add up to the balance.", style="bold red")


def _amounts(account: Account) -> list[str]:
    sums = (account.responsibility, account.written_off, account.applied, account.unapplied, account.balance)
    return list(map(amount_text, sums))


def _row(line: Activity, entity: str) -> list[str]:
    cause = f"{_CAUSES.get(line.kind, line.kind)} {line.source_id}"
    if line.kind == "responsibility":
        cause = f"claim {line.claim_id}" if line.claim_id else f"encounter {line.encounter_id}"
    return [line.effective_date, entity, line.kind, amount_text(line.amount), cause]


def _account(sent: pb.Account) -> Account:
    return Account(
        account_id=sent.account_id,
        entity=sent.entity,
        patient_id=sent.patient_id,
        responsibility=money_of(sent.responsibility),
        written_off=money_of(sent.written_off),
        applied=money_of(sent.applied),
        unapplied=money_of(sent.unapplied),
        balance=money_of(sent.balance),
    )


def _activity(sent: pb.Activity) -> Activity:
    return Activity(
        account_id=sent.account_id,
        kind=sent.kind,
        amount=money_of(sent.amount),
        effective_date=sent.effective_date,
        source_id=sent.source_id,
        claim_id=sent.claim_id,
        encounter_id=sent.encounter_id,
    )
