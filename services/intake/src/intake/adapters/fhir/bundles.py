"""Bundles: a transaction is one message, taken whole or not; a batch is as many messages as it has entries."""

from __future__ import annotations

import json
from collections.abc import Sequence

from intake.adapters.fhir.requests import Request, request_of
from intake.adapters.fhir.resources import FINDINGS_MAX, TAKEN, Entry, entry_of, validated
from intake.adapters.fhir.strict_json import Json
from intake.domain.refusals import Finding, InvalidMessage

ENTRIES_MAX = 1000
TRANSACTION, BATCH = "transaction", "batch"
_BLANKS = " \t\r\n"


def raw_entries(content: Json) -> list[object]:
    """The entries of a bundle whose head is sound.

    Raises:
        InvalidMessage: no transaction and no batch, or too few or too many entries.
    """
    if content.get("type") not in (TRANSACTION, BATCH):
        raise InvalidMessage([Finding("Bundle.type", "bundle-type", "transaction or batch")])
    entries = content.get("entry")
    if not isinstance(entries, list) or not 0 < len(entries) <= ENTRIES_MAX:
        raise InvalidMessage([Finding("Bundle.entry", "entry-count", f"1 to {ENTRIES_MAX} entries")])
    validated("Bundle", {key: value for key, value in content.items() if key != "entry"}, "Bundle")
    return entries


def entries_of(raws: Sequence[object]) -> list[Entry]:
    """Every entry of a transaction.

    Raises:
        InvalidMessage: one of them is unfit; the findings are those of all entries, at most 20.
    """
    entries: list[Entry] = []
    findings: list[Finding] = []
    for number, raw in enumerate(raws):
        try:
            entries.append(bundle_entry(number, raw))
        except InvalidMessage as invalid:
            findings += invalid.findings
    findings += _repeated(entries)
    if findings:
        raise InvalidMessage(findings[:FINDINGS_MAX])
    return entries


def bundle_entry(number: int, raw: object) -> Entry:
    """One entry.

    Raises:
        InvalidMessage: it asks for more than storing, or its resource is unfit.
    """
    place = f"Bundle.entry[{number}]"
    content = raw.get("resource") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(content, dict):
        raise InvalidMessage([Finding(f"{place}.resource", "required", "each entry holds a resource")])
    full_url = raw.get("fullUrl")
    return entry_of(
        place,
        content,
        _request(f"{place}.request", raw.get("request")),
        number=number,
        full_url=full_url if isinstance(full_url, str) else "",
    )


def _request(place: str, raw: object) -> Request:
    asked = raw if isinstance(raw, dict) else {}
    return request_of(place, asked.get("method"), asked.get("url"), asked.get("ifMatch"), asked.get("ifNoneExist"))


def _repeated(entries: Sequence[Entry]) -> list[Finding]:
    """A transaction has no order among its entries, so none may be written twice."""
    seen: set[str] = set()
    findings = []
    for entry in entries:
        if entry.request.keeps_id and entry.reference in seen:
            findings.append(Finding(entry.place, "entry-twice", "one entry for each resource"))
        seen.add(entry.reference)
    return findings


def rank_of(raw: object) -> int:
    """When an entry of a batch is taken: after everything that it may refer to."""
    resource = raw.get("resource") if isinstance(raw, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return TAKEN.index(kind) if kind in TAKEN else len(TAKEN)


def slices_of(raw: bytes) -> list[bytes]:
    """The bytes of each entry of a bundle that has been read before, so that it is JSON, and an object of one `entry`."""
    text = raw.decode("utf-8")
    at = _entry_list(text)
    decoder = json.JSONDecoder()
    slices = []
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        slices.append(text[at:end].encode())
        at = _after_blanks(text, end)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
    return slices


def _entry_list(text: str) -> int:
    """Where the first element of the value of `entry` begins."""
    decoder = json.JSONDecoder()
    at = _after_blanks(text, text.index("{") + 1)
    while True:
        key, end = decoder.raw_decode(text, at)
        value = _after_blanks(text, text.index(":", end) + 1)
        if key == "entry":
            return _after_blanks(text, value + 1)
        _, end = decoder.raw_decode(text, value)
        at = _after_blanks(text, _after_blanks(text, end) + 1)


def _after_blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
