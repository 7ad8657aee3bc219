"""Customer account sync: parties registered, found or made at their ERP once, and merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from canonical.master_data import KnownMasterData
from chassis.domain import Context, Event, Refusal, Unavailable
from chassis.eventstore import Change, EventStore, Row, Table, Work, put, transact
from chassis.eventstore.projecting import of

from ledger_adapter.application.drafting import context_for
from ledger_adapter.application.lanes import Lane, calling_in
from ledger_adapter.application.ports import (
    ErpDirectory,
    ErpParty,
    ErpUncertain,
    KeptParty,
    PartyKeeper,
    RefusalKind,
    Refused,
)
from ledger_adapter.domain.party_account import PartyAccount, PartyKind, PartyState, party_account_id
from ledger_adapter.domain.posting_rules import patient_party

LINKED_PER_RUN_MAX = 100
MERGES_FOLLOWED_MAX = 100
PARTIES = Table(
    "party_accounts",
    {
        "party_id": "uuid",
        "entity": "text",
        "code": "text",
        "kind": "text",
        "erp": "text",
        "erp_code": "text",
        "erp_id": "text",
        "state": "text",
        "reason": "text",
        "merged_into": "text",
    },
    key=("party_id",),
    indexes=(("entity", "code"), ("entity", "erp_code"), ("state",)),
)


class UnknownParty(Refusal):
    """A party that may be sent to an ERP is one that we know by a code: whatever else it is called, it could be a name."""


@of(PartyAccount)
def project_parties(event: Event) -> Iterable[Change]:
    """A row per party of an entity."""
    changed: dict[str, object] = {}
    if isinstance(event, PartyAccount.Registered):
        changed = {"entity": event.entity, "code": event.code, "kind": event.kind.value}
        changed["state"] = PartyState.REGISTERED.value
    elif isinstance(event, PartyAccount.Linked):
        changed = {"erp": event.erp, "erp_code": event.erp_code, "erp_id": event.erp_id, "reason": None}
        changed["state"] = PartyState.LINKED.value
    elif isinstance(event, PartyAccount.LinkRefused):
        changed = {"erp": event.erp, "reason": event.reason, "state": PartyState.REFUSED.value}
    elif isinstance(event, PartyAccount.MergedInto):
        changed = {"merged_into": event.into, "reason": event.reason, "state": PartyState.MERGED.value}
    if changed:
        yield put(PARTIES, party_id=event.originator_id, **changed)


class PartySync:
    """Keeps parties and the customers of their ERPs together.

    A customer is looked for before it is made, and the ERP takes our code once: repeating any of it makes no second one.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        erps: ErpDirectory,
        master_data: KnownMasterData,
    ) -> None:
        self._store = store
        self._clock = clock
        self._erps = erps
        self._master_data = master_data

    def upsert(self, context: Context, party: ErpParty) -> Row:
        """Registers a party and links it where its ERP can be reached now; else `run` does that later.

        Raises:
            UnknownParty: the code is not one of its kind.
            UnknownEntity: no ERP is configured for the entity.
            PartyIsAnotherKind: the code stands for another kind.
        """
        self._refuse_unknown(party)
        self._erps.of(party.entity)
        identity = party_account_id(party.entity, party.code)
        transact(
            self._store,
            context,
            lambda work: work.get_or_new(PartyAccount, identity).register(party.entity, party.code, party.kind),
        )
        row = self._row(identity)
        if row["state"] != PartyState.MERGED.value:
            self._link(context, party)
        return self._row(identity)

    def merge(self, context: Context, entity: str, code: str, into: str, reason: str) -> Row:
        """
        Raises:
            UnknownAggregate: one of them is not known.
            MergeNeedsReason, PartyIsAnotherKind, PartyWasMerged: see `PartyAccount.merge_into`.
        """
        identity = party_account_id(entity, code)

        def decide(work: Work) -> None:
            other = work.require(PartyAccount, party_account_id(entity, into))
            work.expect_unmoved(other)
            work.require(PartyAccount, identity).merge_into(other, reason)

        transact(self._store, context, decide)
        return self._row(identity)

    def run(self) -> int:
        """How many parties that were waiting for their ERP it has answered about."""
        entities = [each for each in self._erps.entities() if isinstance(self._erps.of(each), PartyKeeper)]
        where = {"state": PartyState.REGISTERED.value, "entity": entities}
        waiting = self._store.rows(PARTIES, where, order=("entity", "code"), limit=LINKED_PER_RUN_MAX)
        return sum(self._link(context_for(_id_of(row), self._clock()), _party_of(row)) for row in waiting)

    def _refuse_unknown(self, party: ErpParty) -> None:
        known = {
            PartyKind.PAYER: lambda: any(payer.code == party.code for payer in self._master_data.payers),
            PartyKind.PATIENTS: lambda: party.code == patient_party(party.entity),
            PartyKind.PATIENT_ACCOUNT: lambda: _is_pseudonym(party.code),
        }
        if not known[party.kind]():
            raise UnknownParty(
                "a payer is one of master data, patients are PATIENTS- and their entity, a patient account is a UUID"
            )

    def _link(self, context: Context, party: ErpParty) -> int:
        """One where the ERP has answered; none where it keeps no customers for us, is out of reach, or may have made it."""
        erp = self._erps.of(party.entity) if self._erps.name_of(party.entity) else None
        if not isinstance(erp, PartyKeeper):
            return 0
        try:
            with calling_in(Lane.MONTH_END):
                answer = _kept_by(erp, party)
        except (Unavailable, ErpUncertain):
            return 0
        if answer is None:
            return 0
        identity = party_account_id(party.entity, party.code)

        def decide(work: Work) -> None:
            account = work.require(PartyAccount, identity)
            if account.merged_into:
                return
            if isinstance(answer, Refused):
                account.refuse_link(erp.name, f"{answer.kind}: {answer.reason}")
            else:
                account.link_to(erp.name, answer.code, answer.erp_id)

        transact(self._store, context, decide)
        return 1

    def _row(self, identity: UUID) -> Row:
        (row,) = self._store.rows(PARTIES, {"party_id": identity}, limit=1)
        return row


def _kept_by(erp: PartyKeeper, party: ErpParty) -> KeptParty | Refused | None:
    """The customer, found or made; None where the ERP says that the code is taken and does not show it yet."""
    kept = erp.find_party(party.entity, party.code)
    if kept is not None:
        return kept
    made = erp.create_party(party)
    if isinstance(made, Refused) and made.kind is RefusalKind.NUMBER_TAKEN:
        return erp.find_party(party.entity, party.code)
    return made


def party(store: EventStore, entity: str, code: str, *, by_erp_code: bool = False) -> Row | None:
    """A party by our code, or by its ERP's."""
    where = {"entity": entity, "erp_code" if by_erp_code else "code": code}
    return next(iter(store.rows(PARTIES, where, limit=1)), None)


def standing_for(store: EventStore, row: Row) -> Row:
    """The party that stands for one after all merges."""
    for _ in range(MERGES_FOLLOWED_MAX):
        into = row["merged_into"]
        following = party(store, str(row["entity"]), str(into)) if into else None
        if following is None:
            break
        row = following
    return row


def parties(store: EventStore, entity: str, size: int, after: str) -> list[Row]:
    """Up to `size` parties of an entity by code, those after a code."""
    place = party(store, entity, after) if after else None
    return store.rows(PARTIES, {"entity": entity}, order=("code",), limit=size, after=place)


def _party_of(row: Row) -> ErpParty:
    return ErpParty(entity=str(row["entity"]), code=str(row["code"]), kind=PartyKind(str(row["kind"])))


def _id_of(row: Row) -> UUID:
    identity = row["party_id"]
    assert isinstance(identity, UUID)
    return identity


def _is_pseudonym(code: str) -> bool:
    try:
        return str(UUID(code)) == code
    except ValueError:
        return False
