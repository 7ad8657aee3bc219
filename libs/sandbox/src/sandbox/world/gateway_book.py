"""What the card gateway knows: intents, charges, the balance, payouts, and the events that tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.world.dice import Dice
from sandbox.world.gateway_objects import (
    BalanceTransaction,
    Charge,
    IntentStatus,
    Json,
    PaymentIntent,
    Payout,
    event,
    processing_fee,
)
from sandbox.world.misbehaviour import Fault, Misbehaviour

DECLINED_AMOUNT_MINOR = 40_02
DECLINED_PAYMENT_METHOD = "pm_card_chargeDeclined"
DEFAULT_ENTITY = "NORTH"
_WORDS = 24


class NotFound(LookupError):
    """No object of that id."""


class NothingToPayOut(ValueError):
    """The entity's balance is empty."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One page of a list: newest first, at most `limit`, after the object `starting_after`."""

    limit: int = 10
    starting_after: str = ""


class GatewayBook:
    """The gateway's state; not safe for threads by itself. Ids depend on the seed and on the order of creation."""

    def __init__(self, seed: int, clock: Callable[[], float], misbehaviour: Misbehaviour) -> None:
        self._dice = Dice(seed, "gateway")
        self._clock = clock
        self._misbehaviour = misbehaviour
        self._count = 0
        self.intents: dict[str, PaymentIntent] = {}
        self.charges: dict[str, Charge] = {}
        self.transactions: dict[str, BalanceTransaction] = {}
        self.payouts: dict[str, Payout] = {}
        self.events: dict[str, Json] = {}

    def create_intent(self, fields: Mapping[str, str], account: str = "") -> tuple[PaymentIntent, list[Json]]:
        """A PaymentIntent from the form fields of the API, confirmed at once with `confirm=true`."""
        metadata = {key[9:-1]: value for key, value in fields.items() if key.startswith("metadata[")}
        entity = metadata.get("entity", DEFAULT_ENTITY)
        if self._misbehaviour.strike(Fault.WITHOUT_METADATA, "payment"):
            metadata = {}
        intent = PaymentIntent(
            id=self.new_id("pi"),
            amount=int(fields["amount"]),
            currency=fields.get("currency", "usd"),
            account=account or account_of(entity),
            created=self.now(),
            metadata=metadata,
            payment_method=fields.get("payment_method", ""),
        )
        self.intents[intent.id] = intent
        return intent, self.confirm(intent) if fields.get("confirm") == "true" else []

    def confirm(self, intent: PaymentIntent) -> list[Json]:
        """Charge the card; returns the events, none where the intent had succeeded already."""
        if intent.status in (IntentStatus.SUCCEEDED, IntentStatus.PROCESSING):
            return []
        declined = intent.amount == DECLINED_AMOUNT_MINOR or intent.payment_method == DECLINED_PAYMENT_METHOD
        charge = Charge(
            id=self.new_id("ch"),
            intent_id=intent.id,
            amount=intent.amount,
            currency=intent.currency,
            created=self.now(),
            metadata=dict(intent.metadata),
            succeeded=not (declined or intent.by_bank),
            pending=intent.by_bank and not declined,
            by_bank=intent.by_bank,
        )
        self.charges[charge.id] = charge
        intent.latest_charge = charge.id
        if declined:
            intent.status = IntentStatus.REQUIRES_PAYMENT_METHOD
            failed = ("charge.failed", charge.wire()), ("payment_intent.payment_failed", intent.wire())
            return self.tell(intent.account, failed)
        if intent.by_bank:
            intent.status = IntentStatus.PROCESSING
            waiting = ("payment_intent.processing", intent.wire()), ("charge.pending", charge.wire())
            return self.tell(intent.account, waiting)
        return self.succeed(intent, charge)

    def succeed(self, intent: PaymentIntent, charge: Charge) -> list[Json]:
        """The attempt brings its money."""
        intent.status, charge.succeeded, charge.pending = IntentStatus.SUCCEEDED, True, False
        kind = "payment" if charge.by_bank else "charge"
        fee = processing_fee(charge.amount)
        charge.balance_transaction = self.book(intent.account, charge.amount, fee, charge.id, kind).id
        succeeded = ("payment_intent.succeeded", intent.wire()), ("charge.succeeded", charge.wire())
        return self.tell(intent.account, succeeded)

    def pay_out(self, entity: str) -> tuple[Payout, list[Json]]:
        """Pay the whole balance of one entity out to its bank account.

        Raises:
            NothingToPayOut: nothing above zero since the last payout.
        """
        account = account_of(entity)
        own, net = self._not_paid_out(account), self.balance_of(entity)
        if net <= 0:
            raise NothingToPayOut(f"{entity}: nothing above zero since the last payout")
        identity = self.new_id("po")
        transaction = self.book(account, -net, 0, identity, "payout")
        for each in [*own, transaction]:
            each.payout_id = identity
        payout = Payout(identity, account, net, self.now(), transaction.id, {"entity": entity})
        self.payouts[identity] = payout
        return payout, self.tell(account, [("payout.paid", payout.wire())])

    def balance_of(self, entity: str) -> int:
        """What a payout of the entity would be now, in cents."""
        return sum(each.net for each in self._not_paid_out(account_of(entity)))

    def _not_paid_out(self, account: str) -> list[BalanceTransaction]:
        return [each for each in self.transactions.values() if each.account == account and not each.payout_id]

    def transactions_of(self, payout_id: str) -> list[BalanceTransaction]:
        """What a payout paid out, and the payout's own negative transaction; all transactions for an empty id."""
        return [each for each in self.transactions.values() if payout_id in ("", each.payout_id)]

    def book(
        self, account: str, amount: int, fee: int, source: str, kind: str, category: str = ""
    ) -> BalanceTransaction:
        """Move the balance."""
        identity = self.new_id("txn")
        made = BalanceTransaction(identity, account, amount, fee, source, kind, self.now(), category=category)
        self.transactions[identity] = made
        return made

    def tell(self, account: str, facts: Iterable[tuple[str, Json]]) -> list[Json]:
        """Make the events that tell it."""
        made = []
        for kind, subject in facts:
            if self._misbehaviour.strike(Fault.CORRUPT_ONE_CENT, kind):
                subject = {**subject, "amount": _one_more(subject["amount"])}
            identity = self.new_id("evt")
            self.events[identity] = event(identity, kind, account, self.now(), subject)
            made.append(self.events[identity])
        return made

    def new_id(self, prefix: str) -> str:
        """The id of a new object."""
        self._count += 1
        return f"{prefix}_{self._dice.letters(_WORDS, prefix, self._count)}"

    def now(self) -> int:
        """The second it is."""
        return int(self._clock())


def _one_more(amount: object) -> int:
    assert isinstance(amount, int)
    return amount + 1


def account_of(entity: str) -> str:
    """The connected account of a legal entity."""
    return f"acct_{entity.lower()}"


def page(objects: Sequence[Json], url: str, wanted: Filter) -> Json:
    """A Stripe list object, newest first.

    Raises:
        NotFound: `starting_after` is not in the list.
    """
    newest_first = list(reversed(objects))
    start = 0
    if wanted.starting_after:
        places = [index for index, each in enumerate(newest_first) if each["id"] == wanted.starting_after]
        if not places:
            raise NotFound(wanted.starting_after)
        start = places[0] + 1
    shown = newest_first[start : start + wanted.limit]
    return {"object": "list", "data": shown, "has_more": start + wanted.limit < len(newest_first), "url": url}
