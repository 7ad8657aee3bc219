"""A clearinghouse that answers in real time, in this process, and the service that asks it."""

from __future__ import annotations

from typing import Any

from canonical.master_data import MasterData
from chassis.testing import FixedClock
from claims.adapters.x12_inquiries import X12InquiryFormat
from claims.application.inquiries import Questions
from claims.application.ports import Inquiring, ReceivedAnswer, TransportUnavailable
from sandbox.world.payer import Payers
from sandbox.world.real_time import AnswerDesk

from .world import MASTER_DATA, ClaimsUnderTest, MemoryTransport

SWIFT = "swift"


class Exchange:
    """The sandbox's desk, which can be away, or give an answer to another question."""

    def __init__(self, payers: Payers, members: tuple[str, ...] = ()) -> None:
        self.desk = AnswerDesk(payers, lambda: FixedClock().now, members)
        self.is_away = False
        self.mixes_up = b""

    def ask(self, question: bytes) -> bytes:
        if self.is_away:
            raise TransportUnavailable("away")
        return self.mixes_up or self.desk.answer(question)


def acme(**changes: Any) -> MasterData:
    """Master data in which ACME is changed."""
    payers = tuple(payer.model_copy(update=changes) if payer.code == "ACME" else payer for payer in MASTER_DATA.payers)
    return MASTER_DATA.model_copy(update={"payers": payers})


class AskingClaims:
    """Claims whose payer ACME is reached by `swift`, in real time or, with `in_real_time=False`, by files."""

    def __init__(self, master_data: MasterData, *, in_real_time: bool = True, members: tuple[str, ...] = ()) -> None:
        self.payers = Payers(1)
        self.exchange = Exchange(self.payers, members)
        self.kept: list[tuple[str, ReceivedAnswer]] = []
        self.transport = MemoryTransport()
        self.inquiring = Inquiring(
            X12InquiryFormat(),
            {SWIFT: self.exchange} if in_real_time else {},
            lambda name, answer: self.kept.append((name, answer)),
        )
        self.master_data = master_data
        self.service = ClaimsUnderTest(
            master_data, transports={SWIFT: self.transport, "files": MemoryTransport()}, inquiring=self.inquiring
        )

    def asked_files(self) -> list[bytes]:
        """The 276s among the files that left."""
        return [content for content in self.transport.files.values() if b"ST*276*" in content]

    def questions(self) -> Questions:
        service = self.service
        return Questions(service.store, service.clock, self.master_data, service.vault, self.inquiring)
