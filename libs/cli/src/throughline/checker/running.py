"""One whole check of a state folder, for the command and for whoever wants its results in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
from sandbox.commands import CommandFailed
from sandbox.processes import DidNotStart

from throughline.checker.evidence import Evidence, NoEvidence
from throughline.checker.gathering import Gathered, gather
from throughline.checker.reading.streams import NatsUnreadable
from throughline.checker.result import Result
from throughline.checker.servers import servers_running
from throughline.checker.verdicts import verdicts
from throughline.outcome import Unreachable

WAIT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Examined:
    """The results, what they are of, and which servers ran for the time of the check."""

    results: list[Result]
    gathered: Gathered
    started: list[str]

    @property
    def holds(self) -> bool:
        return all(result.holds is not False for result in self.results)


def examine(folder: Path, *, wait_seconds: float = WAIT_SECONDS) -> Examined:
    """Checks the suite of this folder; a stopped one's servers are started, and stopped again.

    Raises:
        Unreachable: something that must be read cannot be.
    """
    try:
        evidence = Evidence.read(folder)
        with servers_running(folder, with_erp=evidence.erp_info is not None) as started:
            gathered = gather(evidence, wait_seconds=0 if started else wait_seconds)
        return Examined(list(verdicts(gathered)), gathered, started)
    except (NoEvidence, NatsUnreadable, DidNotStart, CommandFailed) as failure:
        raise Unreachable(str(failure)) from None
    except psycopg.Error as failure:
        raise Unreachable(f"a store cannot be read: {type(failure).__name__} {failure}") from None


def check_folder(folder: Path) -> list[Result]:
    """The results alone. Raises as `examine`."""
    return examine(folder).results
