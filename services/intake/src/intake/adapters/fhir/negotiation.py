"""What a request says of its content: type, release, and what answer it wants."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from starlette.requests import Request

from intake.adapters.fhir.versions import release_of

MEDIA_TYPE = "application/fhir+json"
NDJSON = "application/fhir+ndjson"
MEDIA_TYPES = (MEDIA_TYPE, "application/json")
_ACCEPTED = (*MEDIA_TYPES, "application/*", "*/*", "json", "text/json", NDJSON, "application/x-ndjson")
RETURNS = ("minimal", "representation", "OperationOutcome")


class NotOurs(Exception):
    """The request is of a kind that this door does not take; `status` and `code` are for the answer."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Preference:
    """`returns` is one of `RETURNS`; without one, an answer says what was made of the message."""

    returns: str = "OperationOutcome"
    responds_later: bool = False


def check_content_type(request: Request) -> None:
    """Lets JSON of R4 through.

    Raises:
        NotOurs: another format, character set or release of FHIR.
    """
    header = _parsed(request.headers.get("content-type", ""))
    if header.get_content_type() not in MEDIA_TYPES:
        raise NotOurs(415, "not-supported", f"send {MEDIA_TYPE}")
    charset = str(header.get_param("charset") or "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise NotOurs(415, "not-supported", "send UTF-8")
    _check_release(header)


def check_accept(request: Request) -> None:
    """Lets a request through that takes JSON of R4 for an answer.

    Raises:
        NotOurs: it wants another format or release.
    """
    wanted = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    choices = [
        _parsed(part) for part in wanted.replace(" ", "+" if "_format" in request.query_params else " ").split(",")
    ]
    taken = [choice for choice in choices if _media(choice) in _ACCEPTED]
    if not taken:
        raise NotOurs(406, "not-supported", f"the answer is {MEDIA_TYPE}")
    _check_release(taken[0])


def preference_of(request: Request) -> Preference:
    """What `Prefer` says; what we do not know of it is passed over, as RFC 7240 wants it."""
    said = [
        part.strip() for header in request.headers.getlist("prefer") for part in header.replace(";", ",").split(",")
    ]
    returns = next((part.removeprefix("return=") for part in said if part.startswith("return=")), "")
    return Preference(returns if returns in RETURNS else "OperationOutcome", "respond-async" in said)


def _check_release(header: Message) -> None:
    release = release_of(str(header.get_param("fhirVersion") or "4.0"))
    if release:
        raise NotOurs(415, "not-supported", f"FHIR {release} is not taken; send R4 (4.0.1)")


def _parsed(value: str) -> Message:
    header = Message()
    header["Content-Type"] = value.strip() or "text/plain"
    return header


def _media(header: Message) -> str:
    """As it was written: `json` is no media type, and yet a format by FHIR's rules."""
    return str(header["Content-Type"]).split(";")[0].strip().lower()
