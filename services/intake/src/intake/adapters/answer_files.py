"""Files of payers and platforms: X12, and the reports of an external billing platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chassis.inbound.giving_way import GivingWay
from x12.policy import PolicyOf, policies_of

from intake.adapters.platform_reports import is_platform_report, take_report
from intake.adapters.x12_files import FILE_DROP, X12File, take_file
from intake.application.ports import MasterDataSource
from intake.application.receiving_files import ReceivingFiles


def policies_today(master_data: MasterDataSource, clock: Callable[[], datetime]) -> PolicyOf:
    """What is held against the files of each trading partner, by master data of the day."""
    return policies_of(master_data().trading_partners, clock().date())


@dataclass(frozen=True, slots=True)
class AnswerFiles:
    """Takes one file by what it is, giving way; the rules of a trading partner are those of the day."""

    files: ReceivingFiles
    master_data: MasterDataSource
    clock: Callable[[], datetime]
    way: GivingWay

    def take(self, name: str, raw: bytes) -> bool:
        """Receives one file; true where all of it went on."""
        if is_platform_report(raw):
            return take_report(self.files.receive, name, raw, way=self.way)
        policies = partial(policies_today, self.master_data, self.clock)
        return take_file(self.files.receive, policies, name, raw, way=self.way)

    def answer_again(self, name: str, raw: bytes) -> None:
        """X12 that was taken under this name comes again: its answers, where it got any, are written again."""
        self.files.answer_again(X12File(name, raw, source=FILE_DROP))
