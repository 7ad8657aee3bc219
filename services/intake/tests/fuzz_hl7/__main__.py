"""`python -m services.intake.tests.fuzz_hl7 [seconds] [seed]`: mutants of the kept seeds, without looking at coverage."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from services.intake.tests.fuzz_hl7.running import SECONDS_DEFAULT, run

if __name__ == "__main__":
    told = [*sys.argv[1:], "", ""]
    chosen = int(told[1]) if told[1] else random.SystemRandom().getrandbits(32)
    sys.stdout.write(f"{run(float(told[0] or SECONDS_DEFAULT), chosen, Path('fuzz-defect.hl7'))}\n")
