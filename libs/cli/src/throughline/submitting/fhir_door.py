"""The FHIR door: a bundle or a resource by HTTPS, with a token, through the gateway."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
from chassis.domain import Unavailable
from chassis.file_formats import Format
from chassis.rpc.client import TokenSource

from throughline.outcome import Unreachable
from throughline.submitting.sent import Fate, Sent

MEDIA_TYPE = "application/fhir+json"
TIMEOUT_SECONDS = 60.0
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")

Json = Mapping[str, object]


class FhirDoor:
    """`POST` of bundles and new resources, `PUT` of resources with an id."""

    def __init__(self, base_url: str, tokens: TokenSource | None, http: httpx.Client) -> None:
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._http = http

    def send(self, name: str, content: bytes) -> Sent:
        """Sends the content of one file.

        Raises:
            Unreachable: no answer, no token, or an answer that says to come back later.
        """
        method, url = self._place_of(content)
        headers = {"content-type": MEDIA_TYPE, "accept": MEDIA_TYPE}
        try:
            if self._tokens:
                headers["authorization"] = f"Bearer {self._tokens.token()}"
            answer = self._http.request(method, url, content=content, headers=headers)
        except Unavailable as down:
            raise Unreachable(f"the FHIR door: {down}") from None
        except httpx.HTTPError as error:
            raise Unreachable(f"the FHIR door does not answer ({type(error).__name__})") from None
        if answer.status_code in (401, 429) or answer.status_code >= 500:
            raise Unreachable(f"the FHIR door answers {answer.status_code}")
        said = tuple(_issues(answer))
        found = _MESSAGE_ID.search(" ".join(said))
        fate = Fate.ACCEPTED if answer.is_success else Fate.REFUSED
        return Sent(name, Format.FHIR.value, "fhir", fate, found.group() if found else "", said)

    def _place_of(self, content: bytes) -> tuple[str, str]:
        try:
            resource = json.loads(content)
            kind, identity = str(resource.get("resourceType", "")), str(resource.get("id", ""))
        except (ValueError, AttributeError, RecursionError):
            return "POST", self._base_url
        if kind == "Bundle" or not re.fullmatch("[A-Za-z]{1,64}", kind):
            return "POST", self._base_url
        if _PLAIN_ID.fullmatch(identity):
            return "PUT", f"{self._base_url}/{kind}/{identity}"
        return "POST", f"{self._base_url}/{kind}"


def http_client(authority: Path | None) -> httpx.Client:
    """A client that trusts the gateway's certificate authority alone.

    Raises:
        Unreachable: the authority's file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=str(authority)) if authority else ssl.create_default_context()
    except (OSError, ssl.SSLError):
        raise Unreachable("the gateway's certificate authority cannot be read") from None
    return httpx.Client(verify=context, timeout=TIMEOUT_SECONDS, trust_env=False)


def _issues(answer: httpx.Response) -> Iterator[str]:
    """What the outcomes of the answer say; they carry paths and rules, never a patient's data."""
    try:
        body = answer.json()
    except ValueError:
        yield f"HTTP {answer.status_code}"
        return
    issues = list(_issues_in(body))
    yield from issues or [f"HTTP {answer.status_code}"]


def _issues_in(body: object) -> Iterator[str]:
    if isinstance(body, list):
        for each in body:
            yield from _issues_in(each)
    elif isinstance(body, dict):
        if body.get("resourceType") == "OperationOutcome":
            for issue in body.get("issue", []):
                place = ", ".join(map(str, issue.get("expression", [])))
                yield f"{place}: {issue.get('diagnostics', '')}" if place else str(issue.get("diagnostics", ""))
        else:
            for key in ("entry", "response", "outcome"):
                yield from _issues_in(body.get(key))
