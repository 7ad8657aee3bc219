"""Fetched answers as files where intake looks for them: whole, under their own names, and the same one once."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from chassis.whole_files import write_whole

from claims.application.ports import ReceivedAnswer

INTAKE_INBOUND = "intake-inbound"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
NAME_CHARACTERS_MAX = 80


class AnswerDrop:
    """Drops answers into the exchange folder. A name gets the start of the content's hash, for partners use names again."""

    def __init__(self, exchange_dir: Path) -> None:
        self._inbound = exchange_dir / INTAKE_INBOUND

    def keep(self, clearinghouse: str, answer: ReceivedAnswer) -> None:
        """Durable when it returns.

        Raises:
            OSError: the folder takes no file.
        """
        plain = _NOT_PLAIN.sub("-", answer.name)[-NAME_CHARACTERS_MAX:]
        name = f"{clearinghouse}-{hashlib.sha256(answer.content).hexdigest()[:12]}-{plain}"
        write_whole(self._inbound, name, answer.content)
