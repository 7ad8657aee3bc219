"""A consumer knows how far it is behind."""

from __future__ import annotations

import pytest
from chassis.messaging.backlog import Backlog
from chassis.messaging.delivery import Delivery
from chassis.messaging.nats_consumers import delivery_of
from nats.aio.client import Client
from nats.aio.msg import Msg


def handed_out(behind: int) -> Delivery:
    return Delivery("billing.claims.x.v1.0.00", {}, b"", 1, behind)


def test_a_batch_in_hand_and_what_is_behind_it_are_still_to_be_answered() -> None:
    backlog = Backlog()
    assert backlog.count == 0
    backlog.took("ledger-claims-g0", handed_out(behind=40), 10)
    assert backlog.count == 50
    backlog.saved("ledger-claims-g0", handed_out(behind=40))
    assert backlog.count == 40


def test_durables_add_up_and_one_that_another_replica_reads_does_not_count() -> None:
    backlog = Backlog()
    backlog.took("ledger-claims-g0", handed_out(behind=0), 3)
    backlog.took("ledger-claims-g1", handed_out(behind=7), 1)
    assert backlog.count == 11
    backlog.forget("ledger-claims-g1")
    backlog.saved("ledger-claims-g0", handed_out(behind=0))
    assert backlog.count == 0


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.BILLING_CLAIMS.ledger-claims-g0.1.88.12.1790000000000000000.6",
        "$JS.ACK.hub.ACCOUNT.BILLING_CLAIMS.ledger-claims-g0.1.88.12.1790000000000000000.6.token",
    ],
)
def test_the_server_says_with_each_message_how_many_are_behind_it(reply: str) -> None:
    found = delivery_of(Msg(Client(), "billing.claims.x.v1.0.00", reply, b"{}"))
    assert (found.stream_sequence, found.behind) == (88, 6)
