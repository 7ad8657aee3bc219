"""`python -m libs.x12.tests.fuzz [--seconds 60] [--seed N]`: mutates the kept seeds without looking at coverage; atheris does that."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from libs.x12.tests.fuzz.running import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m libs.x12.tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-defect.x12"), help="where an input that breaks something goes"
    )
    given = parser.parse_args()
    found = fuzz(given.seconds, given.seed, given.keep)
    sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
