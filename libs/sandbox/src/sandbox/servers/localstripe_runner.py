"""Runs localstripe on loopback, in memory: its own command line listens to every network and pickles into a shared file.

localstripe is licensed under the GPL and runs in this process only, never in ours.
"""

import argparse
import logging

from aiohttp import web
from localstripe import resources, server


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.servers.localstripe_runner", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port: int = parser.parse_args().port
    resources.Store.dump_to_disk = _keep_in_memory
    logging.basicConfig(level=logging.WARNING)
    web.run_app(server.app, host="127.0.0.1", port=port, print=None)


def _keep_in_memory(store: object) -> None:
    """Instead of a pickle: what this fake knows ends with it."""


if __name__ == "__main__":
    main()
