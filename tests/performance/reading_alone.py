"""Reads an 835 as intake does and tells how long it took: `python -m tests.performance.reading_alone FILE CENTS_PAID TIMES`.

With more times than one the file's claims are read over and over, as one remittance that stands on no disk.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import perf_counter

from chassis.runtime.interpreter import tune_interpreter
from intake.adapters.x12_values import claim_payment_of
from x12.reading import read
from x12.remittance import ClaimPayment, RemittanceTrailer

from tests.performance.repeating import repeated
from tests.performance.stopwatch import peak_memory_mb


def main(path: Path, paid: int, times: int) -> None:
    """One pass; each claim becomes canonical and is let go."""
    tune_interpreter()
    claims = paid_minor = 0
    trailer: RemittanceTrailer | None = None
    whole = repeated(path.read_bytes(), paid, times)
    began = perf_counter()
    for event in read(whole.chunks()):
        if isinstance(event, ClaimPayment):
            claims += 1
            paid_minor += claim_payment_of(event).paid.minor
        elif isinstance(event, RemittanceTrailer):
            trailer = event
    seconds = perf_counter() - began
    assert trailer is not None, "the file holds a remittance"
    told = {
        "bytes": whole.size_bytes,
        "claims": claims,
        "paid_minor": paid_minor,
        "verdict": trailer.transaction_set.verdict,
        "seconds": seconds,
        "peak_memory_mb": peak_memory_mb(os.getpid()),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
