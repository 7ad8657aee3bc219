"""Programs that do one thing and end: set-up and dump tools, run with an environment of their own."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from sandbox.death_signal import die_with_parent

DEFAULT_TIMEOUT_SECONDS = 120.0
ERROR_TAIL_CHARACTERS = 2_000


class CommandFailed(RuntimeError):
    """A program ended with an error, or is missing; carries the end of what it said."""


def installed_program(distribution: str, ending: str) -> Path:
    """The program of an installed distribution whose path ends like this, such as `bin/nats-server`.

    Raises:
        CommandFailed: the distribution is not installed, or has no such program.
    """
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError as missing:
        raise CommandFailed(f"{ending} is missing: install `{distribution}`") from missing
    for file in files:
        if file.as_posix().endswith(f"/{ending}") and (program := Path(str(file.locate()))).is_file():
            return program.resolve()
    raise CommandFailed(f"`{distribution}` has no program {ending}")


def run_to_end(
    argv: Sequence[str],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> str:
    """Run a program to its end and give what it printed. Its environment is `env` beside PATH, HOME and the locale.

    Raises:
        CommandFailed: it did not end with 0, or not in time.
    """
    environment = {"PATH": os.defpath, "HOME": str(Path.home()), "LANG": "C.UTF-8", **(env or {})}
    name = " ".join(Path(word).name for word in argv[:3])
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            env=environment,
            text=True,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
            preexec_fn=die_with_parent(),
        )
    except subprocess.TimeoutExpired as expired:
        raise CommandFailed(f"{name} has not ended within {timeout_seconds} s") from expired
    if done.returncode != 0:
        raise CommandFailed(f"{name} ended with {done.returncode}: {done.stderr[-ERROR_TAIL_CHARACTERS:].strip()}")
    return done.stdout
