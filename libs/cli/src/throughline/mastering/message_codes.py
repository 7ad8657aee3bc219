"""The codes that a file of messages would have looked up, read offline: who sends which code of which kind for which day.

HL7 v2 is read as the site profiles that are given say, which are those of intake; without them, or for a sender of none: entity in
MSH-4, location in PV1-3, providers in PV1-7 and FT1-20, payers in IN1-3, departments in FT1-13.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chassis.file_formats import Format, recognise

from throughline.mastering.hl7_codes import Hl7Message, SiteReadings, codes_told
from throughline.outcome import Unusable
from throughline.submitting.hl7_messages import hl7_messages

FILE_BYTES_MAX = 256 * 1024 * 1024
PLAIN_COLUMNS = ("source", "kind", "code", "day")
USUAL = SiteReadings()
SELF_PAY = frozenset(("", "SELFPAY"))
_BATCH_KINDS = {
    "entity": "entity",
    "location": "location",
    "rendering_provider": "provider",
    "performer": "provider",
    "payer": "payer",
    "second_payer": "payer",
    "department": "department",
}
_FHIR_KINDS = ("entity", "payer", "provider", "location")


@dataclass(frozen=True, slots=True, order=True)
class LookedUp:
    """One code as its source sends it, and the day for which it is asked."""

    source: str
    kind: str
    code: str
    day: date


def codes_in(path: Path, today: date, sites: SiteReadings = USUAL) -> list[LookedUp]:
    """Every code of the file, each once, in order. What has no day of its own is asked for today.

    Raises:
        Unusable: the file cannot be read, is too large, or is neither a list of codes nor messages with any.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise Unusable(f"{path}: at most {FILE_BYTES_MAX} bytes", "file_too_large")
        content = path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "unreadable_file") from error
    try:
        return sorted(set(_codes(content, today, sites)))
    except (ValueError, csv.Error) as error:
        raise Unusable(f"{path} cannot be read: {error}", "unreadable_file") from error


def _codes(content: bytes, today: date, sites: SiteReadings) -> Iterator[LookedUp]:
    match recognise(content):
        case Format.HL7:
            for message in hl7_messages(content):
                yield from _of_hl7(message.decode("utf-8", "replace"), today, sites)
        case Format.FHIR:
            yield from _of_fhir([json.loads(content)], today)
        case Format.NDJSON:
            yield from _of_fhir(list(map(json.loads, content.splitlines())), today)
        case Format.CHARGE_BATCH:
            yield from _of_batch(content.decode("utf-8-sig"))
        case _:
            yield from _of_list(content.decode("utf-8-sig"), today)


def _of_list(text: str, today: date) -> Iterator[LookedUp]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    if not {"source", "kind", "code"} <= set(rows.fieldnames or ()):
        raise ValueError(f"no door takes it, and it is no CSV with the columns {', '.join(PLAIN_COLUMNS)}")
    for row in rows:
        day = date.fromisoformat(row["day"]) if row.get("day") else today
        yield LookedUp(row["source"], row["kind"], row["code"], day)


def _of_batch(text: str) -> Iterator[LookedUp]:
    for row in csv.DictReader(io.StringIO(text)):
        if (row.get("source") or "").startswith("#") or not row.get("service_date"):
            continue
        day = date.fromisoformat(str(row["service_date"]))
        for column, kind in _BATCH_KINDS.items():
            code = row.get(column) or ""
            if code and not (kind == "payer" and code in SELF_PAY):
                yield LookedUp(str(row["source"]), kind, code, day)


def _of_hl7(text: str, today: date, sites: SiteReadings) -> Iterator[LookedUp]:
    message = Hl7Message.of(text)
    days = [day for told in message.all_at("FT1-4") if (day := _hl7_day(told))]
    for kind, codes in codes_told(message, sites).items():
        for code in codes:
            yield from (LookedUp(message.at("MSH-3"), kind, code, day) for day in days or [today])


def _hl7_day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _of_fhir(documents: Sequence[object], today: date) -> Iterator[LookedUp]:
    for document in documents:
        source = _source_of(document)
        days = sorted({day for text in _texts(document, "occurrenceDateTime") if (day := _fhir_day(text))}) or [today]
        for kind, code in dict.fromkeys(_identified(document)):
            yield from (LookedUp(source, kind, code, day) for day in days)


def _source_of(document: object) -> str:
    meta = document.get("meta") if isinstance(document, Mapping) else None
    source = meta.get("source") if isinstance(meta, Mapping) else None
    return source if isinstance(source, str) else ""


def _identified(node: object) -> Iterator[tuple[str, str]]:
    """Identifiers whose system ends in the name of a list of ours; departments are a charge's cost center."""
    if isinstance(node, Mapping):
        system, value = node.get("system"), node.get("value")
        kind = system.rpartition(":")[2] if isinstance(system, str) else ""
        if kind in _FHIR_KINDS and isinstance(value, str) and not (kind == "payer" and value in SELF_PAY):
            yield kind, value
        center = node.get("costCenter")
        named = center.get("identifier") if isinstance(center, Mapping) else None
        if isinstance(named, Mapping) and isinstance(named.get("value"), str):
            yield "department", str(named["value"])
    for inner in _inner(node):
        yield from _identified(inner)


def _texts(node: object, name: str) -> Iterator[str]:
    if isinstance(node, Mapping) and isinstance(node.get(name), str):
        yield str(node[name])
    for inner in _inner(node):
        yield from _texts(inner, name)


def _inner(node: object) -> Sequence[object]:
    if isinstance(node, Mapping):
        return list(node.values())
    return node if isinstance(node, list) else ()


def _fhir_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
