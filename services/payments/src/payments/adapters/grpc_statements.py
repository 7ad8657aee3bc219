"""The call for a patient's statement: as data, and as the document that a patient gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import grpc
from billing.payments.v1 import patient_accounts_pb2 as pb
from chassis.eventstore import EventStore
from chassis.rpc import NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore

from payments.adapters.arguments import day_in, instant_in, one_of
from payments.adapters.grpc_messages import money_sent, text_of
from payments.application.dunning import Policies, default_policy
from payments.application.statements import statement
from payments.domain.statement import Statement, StatementLine, Visit


@dataclass(frozen=True, slots=True)
class Document:
    """A form that statements are given in; `render` takes the entity's name too."""

    media_type: str
    render: Callable[[Statement, str], bytes]


@dataclass(frozen=True, slots=True)
class Documents:
    """The forms by name, the name that each entity has for its patients, and how each asks them to pay."""

    forms: Mapping[str, Document]
    entity_names: Callable[[], Mapping[str, str]]
    policies: Policies = default_policy


class StatementAnswers:
    """Answers from the log."""

    _core: ServiceCore
    _store: EventStore
    _today: Callable[[], date]
    _documents: Documents

    def GetStatement(self, request: pb.GetStatementRequest, context: grpc.ServicerContext) -> pb.GetStatementResponse:
        account_id = uuid_in(request.account_id, "account_id")
        as_of = day_in(request.as_of, "as_of") if request.as_of else self._today()
        known_at = instant_in(request.known_at, "known_at") if request.known_at else self._core.clock()
        form = one_of(request.format, "format", ["", *self._documents.forms])
        said = statement(self._store, account_id, as_of, known_at, self._documents.policies)
        if said is None:
            raise NotThere("no such account, or it had no fact by then")
        sent = statement_sent(said)
        if form:
            document = self._documents.forms[form]
            name = self._documents.entity_names().get(said.entity, said.entity)
            sent.document, sent.media_type = document.render(said, name), document.media_type
        return sent


def statement_sent(said: Statement) -> pb.GetStatementResponse:
    """A statement as data."""
    return pb.GetStatementResponse(
        account_id=str(said.account_id),
        entity=said.entity,
        patient_id=str(said.patient_id),
        as_of=said.as_of.isoformat(),
        visits=map(_visit_sent, said.visits),
        lines=map(_line_sent, said.lines),
        ages=[pb.StatementAge(age=age, amount=money_sent(amount)) for age, amount in said.ages],
        balance=money_sent(said.balance),
        unapplied=money_sent(said.unapplied),
        adds_up=said.adds_up,
    )


def _visit_sent(visit: Visit) -> pb.StatementVisit:
    billing = visit.billing
    return pb.StatementVisit(
        encounter_id=str(visit.encounter_id),
        on=visit.on.isoformat(),
        charged=money_sent(billing.charged),
        insurance_paid=money_sent(billing.insurance_paid),
        adjusted=money_sent(billing.adjusted),
        waiting=money_sent(billing.waiting),
        share=money_sent(billing.share),
        transferred=money_sent(visit.transferred),
        given_up=money_sent(visit.given_up),
        paid=money_sent(visit.paid),
        open=money_sent(visit.open),
    )


def _line_sent(line: StatementLine) -> pb.StatementLine:
    return pb.StatementLine(
        on=line.on.isoformat(),
        kind=line.kind,
        amount=money_sent(line.amount),
        encounter_id=text_of(line.encounter_id),
        explanation=line.explanation,
    )
