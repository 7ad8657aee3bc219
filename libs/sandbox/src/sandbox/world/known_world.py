"""The sandbox's master data: two legal entities, four payers, and what hangs on them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from canonical.master_data import MasterData, load_master_data

MASTER_DATA_FILE = Path(__file__).with_name("master_data.json")


@cache
def sandbox_master_data() -> MasterData:
    """The master data that the scenario, the payers and the bank share; services read `MASTER_DATA_FILE`."""
    return load_master_data(MASTER_DATA_FILE)
