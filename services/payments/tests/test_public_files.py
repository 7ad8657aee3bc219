"""Every public file of gateways and banks that the corpus names is taken or refused as the table says, each alone.

The sample events share one event id, and some of them payments: so none is told after another here.
"""

import csv
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from canonical.master_data import MasterData
from canonical.money import Money
from payments.adapters.bank_files import bank_file
from payments.adapters.stripe_gateway import TOLERANCE_SECONDS, event_of, verify
from payments.adapters.stripe_lines import balance_transaction
from payments.adapters.stripe_objects import fact_of
from payments.adapters.webhook_fields import WebhookRefused
from payments.application.doors import Answer, GatewayMessage
from payments.application.queries import DEPOSITS
from payments.domain.gateway_facts import NothingNew, ObjectKind
from payments.domain.payout import BalanceTransaction, LineKind

from .test_bai2 import MASTER_DATA
from .world import World

CORPUS = Path(os.environ.get("THROUGHLINE_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "data"))
DAY = date(2026, 3, 2)
FOLDERS = ("stripe/", "bank/")
Check = Callable[[bytes], None]


def event(fact: str, *cases: str) -> Check:
    """An event of the gateway, taken at its door: what it tells, and what a person has to look at then."""

    def check(raw: bytes) -> None:
        event_id, told = event_of(raw)
        assert type(told).__name__ == fact
        world = World()
        assert world.doors.receive_webhooks([GatewayMessage(raw, event_id, told)]) == [Answer.TAKEN]
        assert world.open_cases() == list(cases)

    return check


def settled_charge(raw: bytes) -> None:
    """A charge says nothing that its payment intent does not say."""
    assert isinstance(fact_of(ObjectKind.CHARGE, json.loads(raw), DAY), NothingNew)


def line_of_a_charge(raw: bytes) -> None:
    assert balance_transaction(json.loads(raw)) == BalanceTransaction(
        gateway_id="txn_fake_ch_fakefakefakefakefake0001",
        amount=Money(2000),
        fee=Money(88),
        net=Money(1912),
        payment_gateway_id="ch_fakefakefakefakefake0001",
        kind=LineKind.PAYMENT,
        source_gateway_id="ch_fakefakefakefakefake0001",
    )


def signatures(raw: bytes) -> None:
    """The vector that is too old for its own tolerance is as much older here as ours is longer."""
    vectors = json.loads(raw)["vectors"]
    for vector in vectors:
        stamp = next((part[2:] for part in vector["header"].split(",") if part.startswith("t=")), "0")
        late = 0 if vector["tolerance"] is None else TOLERANCE_SECONDS + vector["now"] - 12345 - vector["tolerance"]
        now = datetime.fromtimestamp((int(stamp) if stamp.isdigit() else 0) + late, UTC)
        if vector["expect"] == "ok":
            verify(vector["payload"].encode(), vector["header"], [vector["secret"]], now)
        else:
            with pytest.raises(WebhookRefused):
                verify(vector["payload"].encode(), vector["header"], [vector["secret"]], now)
    assert len(vectors) == 6


def objects(raw: bytes) -> None:
    """The official fixture of every object that we read."""
    resources = json.loads(raw)["resources"]
    kinds = {
        ObjectKind.PAYMENT: ("payment_intent", "PaymentDeclined"),
        ObjectKind.CHARGE: ("charge", "PaymentPending"),
        ObjectKind.REFUND: ("refund", "RefundReported"),
        ObjectKind.DISPUTE: ("dispute", "DisputeReported"),
        ObjectKind.PAYOUT: ("payout", "NothingNew"),
    }
    for kind, (name, fact) in kinds.items():
        assert type(fact_of(kind, resources[name], DAY)).__name__ == fact
    assert balance_transaction(resources["balance_transaction"]).kind is LineKind.PAYMENT


def bank(own_accounts: list[str], refusal: str, *amounts: int) -> Check:
    """A bank's file for entities with these accounts: the code of its refusal, or the cents of its deposits."""
    (north,) = MASTER_DATA.entities
    entities = [
        north.model_copy(update={"code": f"NORTH{number}", "bank_account": account})
        for number, account in enumerate(own_accounts)
    ]
    ours = MASTER_DATA.model_copy(update={"entities": tuple(entities)})
    assert isinstance(ours, MasterData)

    def check(raw: bytes) -> None:
        world, file = World(), bank_file("report.bai2", raw, ours)
        assert (file.refusal.code if file.refusal else "") == refusal
        wanted = Answer.REFUSED if refusal else Answer.TAKEN
        assert world.doors.receive_bank_file(file) is wanted
        assert sorted(int(str(row["amount_minor"])) for row in world.rows(DEPOSITS)) == sorted(amounts)

    return check


TABLE: list[tuple[str, Check]] = [
    ("stripe/events/rubymock__balance.available.json", event("NothingNew")),
    ("stripe/events/rubymock__charge.dispute.created.json", event("DisputeReported", "DisputeOpen")),
    ("stripe/events/rubymock__charge.failed.json", event("NothingNew")),
    ("stripe/events/rubymock__charge.refunded.json", event("Several", "UnmatchedPayment")),
    ("stripe/events/rubymock__charge.succeeded.json", event("NothingNew")),
    ("stripe/events/rubymock__invoice.payment_succeeded.json", event("NothingNew")),
    ("stripe/events/rubymock__payment_intent.created.json", event("NothingNew")),
    ("stripe/events/rubymock__payment_intent.succeeded.json", event("PaymentArrived", "UnmatchedPayment")),
    ("stripe/events/rubymock__payout.created.json", event("PayoutAnnounced")),
    ("stripe/events/rubymock__payout.paid.json", event("PayoutAnnounced")),
    ("stripe/objects/djstripe__balance_transaction_txn_fake_ch_fakefakefakefakefake0001.json", line_of_a_charge),
    ("stripe/objects/djstripe__charge_ch_fakefakefakefakefake0001.json", settled_charge),
    ("stripe/signature/stpy__signature_vectors.json", signatures),
    ("stripe/stripe__fixtures3.json", objects),
    ("bank/bai2/bai2__sample1.txt", bank([], "UnknownBankAccount")),
    ("bank/bai2/bai2__sample1.txt", bank(["10200123456"], "DepositOfOtherCurrency")),
    ("bank/bai2/bai2__sample2.txt", bank([], "UnknownBankAccount")),
    ("bank/bai2/bai2__sample2.txt", bank(["0123456789", "9876543210"], "UnknownBankAccount")),
    (
        "bank/bai2/bai2__sample2.txt",
        bank(["0123456789", "9876543210", "4589761203"], "", 450000, 500000, 20000000, 10000000),
    ),
]


@pytest.mark.parametrize(("name", "check"), TABLE, ids=[f"{Path(name).name}-{n}" for n, (name, _) in enumerate(TABLE)])
def test_a_public_file_is_taken_or_refused_as_it_should_be(name: str, check: Check) -> None:
    check(corpus(name).read_bytes())


def test_every_public_file_of_gateways_and_banks_is_in_the_table() -> None:
    with corpus("INDEX.tsv").open(newline="", encoding="utf-8") as index:
        rows = csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)
        named = {row["file"] for row in rows if row["file"].startswith(FOLDERS)}
    assert named == {name for name, _ in TABLE}


def corpus(name: str) -> Path:
    path = CORPUS / name
    if not path.is_file():
        pytest.skip("the corpus of real files is not beside the repository")
    return path
