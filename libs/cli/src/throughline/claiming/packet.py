"""The filing proof as files: what was sent for one claim, what was answered about it, and a manifest that says what is what."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from billing.claims.v1 import claim_work_pb2 as work
from x12.errors import X12Refused
from x12.excerpt import Part, excerpt

from throughline.outcome import Failure, Unusable
from throughline.wire import data_of

MANIFEST = "manifest.json"
ANSWERS = "answers"
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


@dataclass(slots=True)
class Written:
    """What was written; `missing` says what was not, and why."""

    files: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class PacketFolder:
    """A folder that only its owner reads, for a packet holds PHI. What stands there already is never changed.

    Of every file it holds the parts that are about the claim; the manifest says where each begins in the whole file, and
    the digest of that, so that whoever has the whole can tell that it is the same.
    """

    def __init__(self, folder: Path, raw_answer: Callable[[str], bytes]) -> None:
        self._folder = folder
        self._raw_answer = raw_answer
        self._written = Written()

    def write(self, packet: work.GetFilingPacketResponse) -> Written:
        """Writes everything of the packet.

        Raises:
            Unusable: a file of that name holds something else, or the folder cannot be written.
        """
        number = packet.patient_control_number
        manifest = data_of(packet)
        manifest["submissions"] = [self._submission(each, number) for each in packet.submissions]
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        self._keep(MANIFEST, text.encode())
        return self._written

    def _submission(self, submission: work.Submission, number: str) -> dict[str, object]:
        entry = data_of(submission)
        name = _plain_name(submission.file_name)
        entry |= {"content": "", "parts": []}
        if submission.missing:
            self._written.missing.append(f"{name}: {submission.missing}")
        else:
            entry |= self._kept(name, [Part(each.start, each.content) for each in submission.parts])
        entry["answers"] = [self._answer(each, number) for each in submission.answers]
        return entry

    def _answer(self, answer: work.SubmissionAnswer, number: str) -> dict[str, object]:
        """An answer with what of its own bytes is about the claim, where intake shows them to this client."""
        entry = data_of(answer)
        name = f"{ANSWERS}/{_plain_name(answer.message_id)}"
        try:
            content = self._raw_answer(answer.message_id)
            parts = excerpt(content, number)
        except Failure as failure:
            return entry | {"content": "", "missing": failure.message}
        except X12Refused:
            return entry | {"content": "", "missing": "it is not readable as X12"}
        if not parts:
            return entry | {"content": "", "missing": "no transaction set of it names the claim"}
        whole = {"digest": hashlib.sha256(content).hexdigest(), "size_bytes": len(content), "missing": ""}
        return entry | whole | self._kept(name, parts)

    def _kept(self, name: str, parts: Sequence[Part]) -> dict[str, object]:
        """Writes the parts of a file one after the other; where each begins in the whole, and its length."""
        if name not in self._written.files:
            self._keep(name, b"".join(part.content for part in parts))
        places = [{"start": part.start, "length": len(part.content)} for part in parts]
        return {"content": name, "parts": places}

    def _keep(self, name: str, content: bytes) -> None:
        path = self._folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
                file.write(content)
        except FileExistsError:
            if path.read_bytes() != content:
                raise Unusable(f"{path} is there already, with something else in it") from None
        except OSError as error:
            raise Unusable(f"{path} cannot be written: {error.strerror}") from None
        self._written.files.append(name)


def _plain_name(name: str) -> str:
    """Raises Unusable for a name that leads out of the folder."""
    if not name or Path(name).name != name:
        raise Unusable("a file of the packet has no usable name")
    return name
