"""A code of a source that master data does not know: what is held for it hangs on one work item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from canonical.master_data import ChargeMasterRow, Dated, MasterData, UnknownMasterData
from chassis.domain import Aggregate, Event

from intake.domain.facility_codes import STAY_KINDS

LOOK_UPS: Mapping[str, Callable[[MasterData, str, date], Dated]] = {
    "entity": MasterData.entity,
    "payer": MasterData.payer,
    "provider": MasterData.provider,
    "location": MasterData.location,
    "department": MasterData.department,
}
"""By the kind of a code, the list of master data that has what it means."""
PRICE = "price"


class SourceCode(CanonicalModel):
    """A code as its source sends it for a day; `kind` is that of the crosswalk that would translate it.

    Of a stay it is kept as a keyed hash. Of the kind `price` it is what a charge stands under, which came without a price, and `department` where it was done.
    """

    source: Public[str]
    kind: Public[str]
    code: Public[str]
    day: Public[date]
    department: Public[str] = ""

    @property
    def code_id(self) -> UUID:
        """The id of the code, whatever the day."""
        more = (self.department,) if self.department else ()
        return derive("unmapped-code", self.source, self.kind, self.code, *more)

    def __str__(self) -> str:
        """What is missing, in words."""
        if self.kind == PRICE:
            where = f" in department {self.department!r}" if self.department else ""
            return f"{self.source} charges {self.code!r}{where} without a price, and the charge master has none"
        if self.kind in STAY_KINDS:
            kept = f"kept as {self.code}, for it is PHI: see a message that waits"
            return (
                f"{self.source} sends a code of kind {self.kind} ({kept}), which neither the NUBC nor a crosswalk knows"
            )
        return f"{self.source} sends {self.kind} {self.code!r}, which master data does not know"

    def is_known(self, master_data: MasterData) -> bool:
        """Whether master data says on that day what it means."""
        if self.kind == PRICE:
            return charge_row(master_data, self.source, self.code, self.department, self.day) is not None
        try:
            ours = master_data.translate(self.source, self.kind, self.code, self.day)
            LOOK_UPS[self.kind](master_data, ours, self.day)
        except UnknownMasterData:
            return False
        return True


def charge_row(master_data: MasterData, source: str, code: str, department: str, day: date) -> ChargeMasterRow | None:
    """The row of the charge master for a code of a source's department; of all departments where nobody knows that one."""
    try:
        ours = master_data.translate(source, "department", department, day) if department else ""
    except UnknownMasterData:
        ours = ""
    return master_data.charge_master_row(code, ours, day)


class UnmappedCode(Aggregate):
    """Id: source, kind and code. Open from the first encounter that is held for it until none is."""

    def start(self) -> None:
        self.is_open = False
        self.times = 0

    class Met(Event):
        TOPIC = "intake.unmapped-code.met"
        code: SourceCode

        def apply(self, unmapped: UnmappedCode) -> None:
            unmapped.is_open = True
            unmapped.times += 1

    class Settled(Event):
        """Nothing is held for it any more."""

        TOPIC = "intake.unmapped-code.settled"
        reason: Public[str]

        def apply(self, unmapped: UnmappedCode) -> None:
            unmapped.is_open = False

    @property
    def work_item(self) -> UUID:
        """What the case of its present time follows from."""
        return derive("unmapped-code-met", self.id, self.times)

    def meet(self, code: SourceCode) -> bool:
        """Opens it; whether that is new."""
        if self.is_open:
            return False
        self.trigger_event(self.Met, code=code)
        return True

    def settle(self, reason: str) -> None:
        if self.is_open:
            self.trigger_event(self.Settled, reason=reason)
