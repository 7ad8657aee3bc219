"""How a command ends: the exit codes that a script can use, and failures as one sentence for people or as data."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import ClassVar, ParamSpec

import typer

P = ParamSpec("P")


class Exit(IntEnum):
    """0 all is well; 1 a rule or an invariant said no; 2 wrong usage or unreadable input; 3 something is not reachable."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3


class Failure(Exception):
    """Why a command could not do what it was asked. `code` is a stable name, the message one sentence without PHI."""

    exit: ClassVar[Exit] = Exit.REFUSED

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).__name__


class Refused(Failure):
    """A rule of a service said no; `code` is the rule's name there."""


class NotFound(Failure):
    """Nothing has this id."""


class Unusable(Failure):
    """What was given cannot be used: a wrong argument, or a file that cannot be read."""

    exit = Exit.USAGE


class Unreachable(Failure):
    """A service, the gateway or the suite does not answer, or does not let us in."""

    exit = Exit.UNREACHABLE


def ends_with_a_code(command: Callable[P, Exit]) -> Callable[P, None]:
    """Turns what a command returns or raises into its exit code; with `--json` a failure is data on standard output."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except Failure as failure:
            tell(failure, as_json=bool(kwargs.get("as_json")))
            code = failure.exit
        if code:
            raise typer.Exit(code)

    return run


def tell(failure: Failure, *, as_json: bool) -> None:
    """Says on standard error what went wrong, and with `as_json` on standard output as `{"error": {...}}`."""
    if as_json:
        error = {"code": failure.code, "message": failure.message, "exit": int(failure.exit)}
        sys.stdout.write(json.dumps({"error": error}, indent=2) + "\n")
    sys.stderr.write(f"throughline: {failure.message}\n")
