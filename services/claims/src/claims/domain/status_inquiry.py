"""One interchange of questions where claims stand (276), so that its acknowledgements find what they answer."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

REFUSED = "refused"


class StatusInquiry(Aggregate):
    """Its id follows from its control number. `digest` is SHA-256 of its bytes, in hex."""

    def start(self) -> None:
        self.control_number = ""
        self.entity = ""
        self.payer = ""
        self.is_refused = False

    class Asked(Event):
        """`way` is the transport that took it, or `refused` where none did."""

        TOPIC = "claims.status-inquiry.asked"
        control_number: Public[str]
        entity: Public[str]
        payer: Public[str]
        way: Public[str]
        claim_ids: tuple[UUID, ...]
        digest: Public[str]

        def apply(self, inquiry: StatusInquiry) -> None:
            inquiry.control_number = self.control_number
            inquiry.entity = self.entity
            inquiry.payer = self.payer

    class Refused(Event):
        """Its receiver could not read it (TA1 or 999), and nobody will answer it."""

        TOPIC = "claims.status-inquiry.refused"
        acknowledgement: Public[str]
        code: Public[str]

        def apply(self, inquiry: StatusInquiry) -> None:
            inquiry.is_refused = True

    def ask(
        self, control_number: str, entity: str, payer: str, way: str, claim_ids: tuple[UUID, ...], digest: str
    ) -> None:
        assert not self.exists, "a control number is given once"
        names = {"control_number": control_number, "entity": entity, "payer": payer, "way": way}
        self.trigger_event(self.Asked, **names, claim_ids=claim_ids, digest=digest)

    def refuse(self, acknowledgement: str, code: str) -> None:
        """Its receiver refused it; hearing it twice changes nothing."""
        if not self.is_refused:
            self.trigger_event(self.Refused, acknowledgement=acknowledgement, code=code)


def status_inquiry_id_of(control_number: str) -> UUID:
    """The questions behind an ISA13 or GS06; leading zeros do not matter."""
    return derive("status-inquiry", control_number.zfill(9))
