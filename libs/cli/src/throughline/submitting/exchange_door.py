"""The exchange folder: X12 and bank files are handed over whole or not at all, and their fate is read from where they go."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chassis.file_formats import Format
from chassis.whole_files import sync_folder

from throughline.outcome import Unreachable
from throughline.submitting.sent import Fate, Sent

DOORS = {
    Format.X12: "intake",
    Format.CHARGE_BATCH: "intake",
    Format.NDJSON: "intake",
    Format.BAI2: "bank",
    Format.NACHA: "bank",
}
REASONS_SHOWN = 10
POLL_SECONDS = 0.1
COPIES_MAX = 1000
_CHUNK_BYTES = 1_048_576
_ODD = re.compile(r"[^A-Za-z0-9._ -]")
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart")
_NAME_LENGTH_MAX = 120


@dataclass(frozen=True, slots=True)
class ExchangeDoor:
    """Drops files into `<exchange>/<door>-inbound`, and sees them go to `<door>-done` or `<door>-quarantine`."""

    exchange: Path
    kind: Format
    wait_seconds: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def send(self, source: Path) -> Sent:
        """Hands one file over, and waits for it to be taken.

        Raises:
            Unreachable: the exchange folder is not there or cannot be written.
        """
        door = DOORS[self.kind]
        before = {state: self._names(state) for state in ("done", "quarantine")}
        try:
            dropped = drop(source, self.exchange / f"{door}-inbound")
        except OSError as error:
            raise Unreachable(f"the exchange folder {self.exchange}: {error.strerror}") from None
        fate = self._fate(dropped, before)
        answers = [f"handed over as {dropped.name}"]
        if fate is Fate.NOT_TAKEN:
            answers.append(f"nobody has taken it within {self.wait_seconds:g} s; it stays there")
        elif fate is Fate.QUARANTINED:
            answers += self._reasons(dropped.name) or ["the reasons: throughline exceptions list"]
        return Sent(str(source), self.kind.value, f"{door} folder", fate, dropped.name, tuple(answers))

    def _fate(self, dropped: Path, before: dict[str, set[str]]) -> Fate:
        if not self.wait_seconds:
            return Fate.HANDED_OVER
        for _ in range(round(self.wait_seconds / POLL_SECONDS)):
            if not dropped.exists():
                new = {state for state, names in before.items() if self._is_in(state, names, dropped.name)}
                return Fate.QUARANTINED if "quarantine" in new else Fate.ACCEPTED
            self.sleep(POLL_SECONDS)
        return Fate.NOT_TAKEN

    def _reasons(self, name: str) -> list[str]:
        """What lies beside a file in quarantine."""
        path = self.exchange / f"{DOORS[self.kind]}-quarantine" / f"{name}.reason.txt"
        try:
            told = path.read_text("utf-8").splitlines()
        except OSError:
            return []
        more = [f"and {len(told) - REASONS_SHOWN} more"] if len(told) > REASONS_SHOWN else []
        return [*told[:REASONS_SHOWN], *more]

    def _names(self, state: str) -> set[str]:
        folder = self.exchange / f"{DOORS[self.kind]}-{state}"
        return set(os.listdir(folder)) if folder.is_dir() else set()

    def _is_in(self, state: str, before: set[str], name: str) -> bool:
        return any(each.startswith((name, "refused-")) for each in self._names(state) - before)


def drop(source: Path, folder: Path) -> Path:
    """Copies a file into the folder so that a reader sees all of it or nothing; a name that is taken gets `-2`, `-3` ...

    Raises:
        OSError: the folder is not there, is full, or may not be written.
    """
    name = _plain(source.name)
    unfinished = folder / f".{name}.{os.getpid()}.part"
    try:
        _copy(source, unfinished)
        for copy in range(1, COPIES_MAX):
            target = folder / (name if copy == 1 else f"{Path(name).stem}-{copy}{Path(name).suffix}")
            try:
                # A link, unlike a rename, fails where the name is taken.
                os.link(unfinished, target)
            except FileExistsError:
                continue
            sync_folder(folder)
            return target
        raise FileExistsError(0, f"no free name left for {name}")
    finally:
        unfinished.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("xb") as writing:
        while chunk := reading.read(_CHUNK_BYTES):
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())


def _plain(name: str) -> str:
    """A name that every reader of the folder takes."""
    plain = _ODD.sub("_", name).lstrip("._- ")[-_NAME_LENGTH_MAX:].lstrip("._- ") or "file"
    return f"{plain}.file" if plain.lower().endswith(_UNFINISHED) else plain
