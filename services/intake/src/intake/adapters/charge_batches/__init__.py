"""Charge batches in CSV, for departments that have nothing better: a published profile of columns, read line by line."""

from intake.adapters.charge_batches.door import ChargeBatchDoor
from intake.adapters.charge_batches.reading import read_part

__all__ = ["ChargeBatchDoor", "read_part"]
