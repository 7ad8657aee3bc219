"""Master data as the one JSON file that every service reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from canonical.master_data.content import MasterData
from canonical.master_data.rules import Fault, faults_in

FAULTS_TOLD = 10


class UnusableMasterData(ValueError):
    """Rows that cannot be, or cannot be together; the message names list, row, column and rule of the first ones."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        told = "\n".join(map(str, faults[:FAULTS_TOLD]))
        more = len(faults) - FAULTS_TOLD
        super().__init__(f"{told}\nand {more} more" if more > 0 else told)


def checked(content: MasterData) -> MasterData:
    """The content itself.

    Raises:
        UnusableMasterData: its rows do not fit each other.
    """
    faults = faults_in(content)
    if faults:
        raise UnusableMasterData(faults)
    return content


def load_master_data(path: Path) -> MasterData:
    """The master data of a JSON file.

    Raises:
        pydantic.ValidationError: a row that does not fit, named by its path.
        UnusableMasterData: rows that do not fit each other.
    """
    return checked(MasterData.model_validate_json(path.read_bytes()))


def master_data_bytes(content: MasterData) -> bytes:
    """The file's bytes; what a row says by default is left out."""
    return content.model_dump_json(indent=1, exclude_defaults=True).encode()
