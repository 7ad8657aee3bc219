"""What is done about a payer code that nobody knows: it is mapped by one person, approved by another, and its charges flow."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from canonical.master_data import LISTS, Crosswalk
from canonical.master_data.tables import table_lines
from canonical.money import Money
from sandbox.world.own_words import OwnWord

from throughline.connection import Access, Connection
from throughline.mastering.calls import MasterDataDesk
from throughline.outcome import Refused
from throughline.wire import money_of

CODES_MAX = 100
RELEASE_SECONDS_MAX = 60.0
PAUSE_SECONDS = 0.2
REASON = "The EHR's new dictionary calls this payer so."


@dataclass(frozen=True, slots=True)
class MappedCode:
    """One code that was unknown: what waited for it, who mapped it, and which version of master data knows it."""

    source: str
    code: str
    ours: str
    encounters: int
    held: Money
    proposer: str
    refused: str
    approver: str
    version: int


class MappingWork:
    """The desk of the two people, through the gateway."""

    def __init__(self, access: Access, approver: Connection) -> None:
        self._desk = MasterDataDesk(access)
        self._approver = approver

    def map(self, own: OwnWord, payers: Iterable[str]) -> MappedCode | None:
        """Maps the source's word, with our own words for the other payers; None where nothing waits for it."""
        waiting = [
            each for each in self._desk.unmapped(CODES_MAX).codes if (each.source, each.code) == (own.source, own.word)
        ]
        if not waiting:
            return None
        words = {own.word: own.payer} | {payer: payer for payer in payers}
        rows = [Crosswalk(code=code, source=own.source, kind="payer", ours=ours) for code, ours in words.items()]
        text = "".join(table_lines(LISTS["crosswalks"], rows)).encode()
        change = self._desk.propose([("crosswalks", text)], REASON)
        refused = self._refusal_of_own(change.change_id)
        other = Access(self._approver)
        try:
            version = MasterDataDesk(other).approve(change.change_id)
        finally:
            other.close()
        approved = self._desk.change(change.change_id, 1).change
        self._until_released(own)
        return MappedCode(
            source=own.source,
            code=own.word,
            ours=own.payer,
            encounters=waiting[0].encounters,
            held=money_of(waiting[0].amount),
            proposer=approved.proposer,
            refused=refused,
            approver=approved.decider,
            version=version,
        )

    def _refusal_of_own(self, change_id: str) -> str:
        """The rule that keeps the proposer from approving; empty where nothing does."""
        try:
            self._desk.approve(change_id)
        except Refused as refused:
            return refused.code
        return ""

    def _until_released(self, own: OwnWord) -> None:
        deadline = time.monotonic() + RELEASE_SECONDS_MAX
        while any(each.code == own.word for each in self._desk.unmapped(CODES_MAX).codes):
            if time.monotonic() > deadline:
                raise Refused(f"what waited for {own.word} is still held", "StillHeld")
            time.sleep(PAUSE_SECONDS)
