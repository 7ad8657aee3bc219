"""Runs one of the sample services for real: `python -m chassis.testing.main announcer|noter`."""

from __future__ import annotations

import os
import sys

from chassis.runtime.core import ServiceCore, Sweep
from chassis.runtime.service import run
from chassis.runtime.settings import Settings
from chassis.testing.sample_service import ANNOUNCER, NOTER, noting, postgres_store, utc_now


def main(name: str) -> int:
    """Serves until stopped; the exit code of the process."""
    settings = Settings.from_environment(os.environ)
    shape = {"announcer": ANNOUNCER, "noter": NOTER}[name]
    store = postgres_store(shape, settings.database_url.get_secret_value())
    consumers = noting(store, utc_now, crash_point=settings.crash_points("claims")) if shape is NOTER else {}
    return run(ServiceCore(shape, store, utc_now, consumers, (Sweep("nothing", 1.0, lambda: 0),)), settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
