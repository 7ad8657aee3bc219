"""What stays open between payers and providers, told with what each adjustment opened, settled and refers to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from chassis.eventstore import EventStore, Row, Work

from payments.application.provider_rows import REVERSALS
from payments.application.sweeps import context_for
from payments.domain.provider_balance import ProviderBalance
from payments.domain.provider_items import Pairing, significant

MOVES_MAX = 20_000
REVERSALS_MAX = 5000
CONTAINED_LENGTH_MIN = 6


def pairings(store: EventStore, now: datetime, balance_ids: Iterable[UUID]) -> dict[UUID, Pairing]:
    """The items of each balance, from its whole history. Nothing is recorded."""
    wanted = list(dict.fromkeys(balance_ids))
    if not wanted:
        return {}
    work = Work(store, context_for(wanted[0], now))
    work.prefetch(wanted)
    return {identity: work.require(ProviderBalance, identity).pairing for identity in wanted}


def reversals_named(store: EventStore, moves: Sequence[Row]) -> dict[tuple[object, object], list[Row]]:
    """The reversed claims that the reference of each move names, by its remittance and ordinal.

    Looked for among the payer's newest 5,000. Payers give a claim's number alone or together with the account and the
    day of service, so a number of six characters or more may also be a part of the reference.
    """
    payers = sorted({str(move["payer"]) for move in moves if move["reference"]})
    if not payers:
        return {}
    known = store.rows(REVERSALS, {"payer": payers}, order=("-effective_date",), limit=REVERSALS_MAX)
    return {
        (move["remittance_id"], move["adjustment"]): [row for row in known if _names(move, row)]
        for move in moves
        if move["reference"]
    }


def _names(move: Row, reversal: Row) -> bool:
    if move["payer"] != reversal["payer"]:
        return False
    reference = significant(str(move["reference"]))
    numbers = (significant(str(reversal[name])) for name in ("payer_control_number", "patient_control_number"))
    return any(
        number and (number == reference or (len(number) >= CONTAINED_LENGTH_MIN and number in reference))
        for number in numbers
    )
