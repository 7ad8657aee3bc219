"""Calls of the Stripe API as the sandbox's gateway answers them, with no network round it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.world.gateway_book import Filter, GatewayBook, NotFound, page
from sandbox.world.gateway_later import LaterMoney, NotPossible
from sandbox.world.gateway_objects import IntentStatus, Json, PaymentIntent, decline

Answer = tuple[int, Json]
"""HTTP status and body."""


class _Shown(Protocol):
    """An object with a form on the wire."""

    def wire(self) -> Json: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `path` without `/v1/`, `fields` of its form or its query, the connected account, the Idempotency-Key."""

    method: str
    path: str
    fields: Mapping[str, str]
    account: str = ""
    key: str = ""


class GatewayApi:
    """Answers one call at a time; what happens is told by `tell`."""

    def __init__(self, book: GatewayBook, later: LaterMoney, tell: Callable[[list[Json]], None]) -> None:
        self._book = book
        self._later = later
        self._tell = tell
        self._answered: dict[str, tuple[str, Answer]] = {}

    def answer(self, call: Call) -> Answer:
        """The same Idempotency-Key gives the same answer; with other parameters it is refused."""
        if call.method != "POST" or not call.key:
            return self._work(call)
        content = json.dumps([call.path, sorted(call.fields.items())])
        if call.key not in self._answered:
            self._answered[call.key] = (content, self._work(call))
        before, answer = self._answered[call.key]
        if before != content:
            return 400, error("idempotency_error", "the key was used with other parameters")
        return answer

    def _work(self, call: Call) -> Answer:
        match call.method, call.path.split("/"):
            case "POST", ["payment_intents"]:
                return self._create(call)
            case "POST", ["payment_intents", identity, "confirm"]:
                return self._confirm(identity, call)
            case "POST", ["refunds"]:
                return self._refund(call)
            case "GET", [kind]:
                return self._list(kind, call.fields)
            case "GET", [kind, identity]:
                found = (self._objects(kind) or {}).get(identity)
                return (200, found) if found else _not_found(identity)
        return 404, error("invalid_request_error", f"Unrecognized request: {call.method} {call.path}")

    def _create(self, call: Call) -> Answer:
        if not call.fields.get("amount", "").isdecimal():
            return 400, error("invalid_request_error", "Missing required param: amount.")
        intent, events = self._book.create_intent(call.fields, call.account)
        self._tell(events)
        return _intent_answer(intent)

    def _refund(self, call: Call) -> Answer:
        told = {key[9:-1]: value for key, value in call.fields.items() if key.startswith("metadata[")}
        payment = call.fields.get("payment_intent") or call.fields.get("charge", "")
        try:
            made, events = self._later.refund(payment, int(call.fields.get("amount", "0")), told)
        except NotFound as missing:
            return _not_found(str(missing))
        except NotPossible as refused:
            return 400, error("invalid_request_error", str(refused))
        self._tell(events)
        return 200, made.wire()

    def _confirm(self, identity: str, call: Call) -> Answer:
        intent = self._book.intents.get(identity)
        if intent is None:
            return _not_found(identity)
        intent.payment_method = call.fields.get("payment_method", intent.payment_method)
        self._tell(self._book.confirm(intent))
        return _intent_answer(intent)

    def _objects(self, kind: str) -> dict[str, Json] | None:
        book = self._book
        if kind == "events":
            return book.events
        shelves: dict[str, Mapping[str, _Shown]] = {
            "payment_intents": book.intents,
            "charges": book.charges,
            "balance_transactions": book.transactions,
            "payouts": book.payouts,
            "refunds": self._later.refunds,
            "disputes": self._later.disputes,
        }
        shelf = shelves.get(kind)
        return None if shelf is None else {identity: each.wire() for identity, each in shelf.items()}

    def _list(self, kind: str, query: Mapping[str, str]) -> Answer:
        objects = self._objects(kind)
        limit = query.get("limit", "10")
        if objects is None or not limit.isdecimal() or not 1 <= int(limit) <= 100:
            return 400, error("invalid_request_error", f"Unrecognized request: {kind} with limit {limit}")
        if kind == "balance_transactions":
            chosen = {each.id for each in self._book.transactions_of(query.get("payout", ""))}
            objects = {identity: each for identity, each in objects.items() if identity in chosen}
        objects = {identity: each for identity, each in objects.items() if _is_asked_for(each, query)}
        wanted = Filter(int(limit), query.get("starting_after", ""))
        try:
            if "data.source" in query.values():
                objects = {identity: self._with_its_source(each) for identity, each in objects.items()}
            return 200, page(list(objects.values()), f"/v1/{kind}", wanted)
        except NotFound as missing:
            return _not_found(str(missing))

    def _with_its_source(self, listed: Json) -> Json:
        """The object with its `source` expanded, as `expand[]=data.source` asks."""
        for kind in ("charges", "refunds", "disputes", "payouts"):
            source = (self._objects(kind) or {}).get(str(listed.get("source", "")))
            if source:
                return listed | {"source": source}
        return listed


def error(kind: str, message: str) -> Json:
    """The body of an error."""
    return {"error": {"type": kind, "message": message}}


def _is_asked_for(listed: Json, query: Mapping[str, str]) -> bool:
    """Whether it is of the payment and of the time that the query says."""
    named = all(listed.get(name) == query[name] for name in ("payment_intent", "charge") if name in query)
    created = listed["created"]
    assert isinstance(created, int)
    is_before = created < int(query["created[lt]"]) if "created[lt]" in query else True
    return named and is_before and created >= int(query.get("created[gte]", "0"))


def _intent_answer(intent: PaymentIntent) -> Answer:
    if intent.status is IntentStatus.REQUIRES_PAYMENT_METHOD and intent.latest_charge:
        return 402, {"error": {**decline(intent.latest_charge), "payment_intent": intent.wire()}}
    return 200, intent.wire()


def _not_found(identity: str) -> Answer:
    told = {"type": "invalid_request_error", "code": "resource_missing", "message": f"No such object: '{identity}'"}
    return 404, {"error": told}
