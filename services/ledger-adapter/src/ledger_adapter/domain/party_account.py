"""Who owes an entity, as a customer of its ERP: our code and theirs, both ways, and which party is another one by now."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event, Refusal

REASON_LETTERS_MIN = 5


class PartyKind(StrEnum):
    """PATIENTS is the one party under which all patients of an entity owe; PATIENT_ACCOUNT is one pseudonymous account."""

    PAYER = "payer"
    PATIENTS = "patients"
    PATIENT_ACCOUNT = "patient-account"


class PartyState(StrEnum):
    """REGISTERED: known here, and not seen at the ERP yet. LINKED: the ERP's id of it is known."""

    REGISTERED = "registered"
    LINKED = "linked"
    REFUSED = "refused"
    MERGED = "merged"


class PartyIsAnotherKind(Refusal):
    """A code stands for one kind of party, and parties are merged within a kind."""


class PartyWasMerged(Refusal):
    """A party that was merged takes no other part; the party that stands for it does."""


class MergeNeedsReason(Refusal):
    """A merge needs a reason that a later reader can understand, and another party to merge into."""


def party_account_id(entity: str, code: str) -> UUID:
    """The party of one entity under our code."""
    return derive("party-account", entity, code)


class PartyAccount(Aggregate):
    """One party of one entity."""

    def start(self) -> None:
        self.entity = ""
        self.code = ""
        self.kind: PartyKind | None = None
        self.link: tuple[str, str, str] | None = None
        self.refusal = ""
        self.merged_into = ""

    class Registered(Event):
        """The party is known."""

        TOPIC = "ledger.party-account.registered"
        entity: Public[str]
        code: Public[str]
        kind: PartyKind

        def apply(self, party: PartyAccount) -> None:
            party.entity, party.code, party.kind = self.entity, self.code, self.kind

    class Linked(Event):
        """The ERP has it as a customer, under its own code and id."""

        TOPIC = "ledger.party-account.linked"
        erp: Public[str]
        erp_code: Public[str]
        erp_id: Public[str]

        def apply(self, party: PartyAccount) -> None:
            party.link, party.refusal = (self.erp, self.erp_code, self.erp_id), ""

    class LinkRefused(Event):
        """The ERP would not have it; a person mends that there, and asks again."""

        TOPIC = "ledger.party-account.link-refused"
        erp: Public[str]
        reason: Public[str]

        def apply(self, party: PartyAccount) -> None:
            party.refusal = self.reason

    class MergedInto(Event):
        """It is another party of the entity from now on; what was booked under it stays."""

        TOPIC = "ledger.party-account.merged-into"
        into: Public[str]
        reason: Public[str]

        def apply(self, party: PartyAccount) -> None:
            party.merged_into = self.into

    def register(self, entity: str, code: str, kind: PartyKind) -> None:
        """
        Raises:
            PartyIsAnotherKind: the code stands for one already.
        """
        if not self.exists:
            self.trigger_event(self.Registered, entity=entity, code=code, kind=kind)
        elif kind is not self.kind:
            raise PartyIsAnotherKind(f"party {code} of {entity} is a {self.kind}, not a {kind}")

    def link_to(self, erp: str, erp_code: str, erp_id: str) -> None:
        """Remembers the customer; the same one again changes nothing."""
        if self.link != (erp, erp_code, erp_id):
            self.trigger_event(self.Linked, erp=erp, erp_code=erp_code, erp_id=erp_id)

    def refuse_link(self, erp: str, reason: str) -> None:
        """Remembers that the ERP said no."""
        if self.refusal != reason:
            self.trigger_event(self.LinkRefused, erp=erp, reason=reason)

    def merge_into(self, other: PartyAccount, reason: str) -> None:
        """The same merge again changes nothing. As neither may have been merged before, merges never go in a circle.

        Raises:
            MergeNeedsReason: less than five characters, or into itself.
            PartyIsAnotherKind: the other is of another kind.
            PartyWasMerged: one of them was merged into another one.
        """
        if self.merged_into == other.code:
            return
        if len(reason.strip()) < REASON_LETTERS_MIN or other.id == self.id:
            raise MergeNeedsReason(f"party {self.code}: another party, and a reason of five characters or more")
        if other.kind is not self.kind:
            raise PartyIsAnotherKind(f"party {other.code} is a {other.kind}, party {self.code} a {self.kind}")
        for each in (self, other):
            if each.merged_into:
                raise PartyWasMerged(f"party {each.code} was merged into {each.merged_into}")
        self.trigger_event(self.MergedInto, into=other.code, reason=reason)
