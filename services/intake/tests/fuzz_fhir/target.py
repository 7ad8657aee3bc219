"""What has to hold of the FHIR reader for any bytes at all."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

from intake.adapters.fhir import FhirNames, Sender, Submission, read_submission
from intake.adapters.fhir.bundles import slices_of
from intake.adapters.fhir.strict_json import Json, parse_object, written
from intake.domain.facts import ChargeSeen

SEEDS = Path(__file__).parent / "seeds"
SECRETS = ("Zyxwvut", "SECRET-MEMBER")
"""Names and numbers of the patients of the seeds: no finding may show them."""
SENDER = Sender("service:fuzz", ("ehr-north",))
NAMES = FhirNames()


class Broken(AssertionError):
    """A promise of the reader does not hold."""


def kept_seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted(SEEDS.glob("*.json"))]


def examine(raw: bytes) -> bool:
    """Whether anything of it was understood.

    Raises:
        Broken: a promise does not hold.
    """
    submission = read_submission(raw, NAMES, Sender(SENDER.actor, ("*",)))
    told = " ".join(str(finding) for each in submission.deliveries for finding in each.findings)
    if any(secret in told for secret in SECRETS):
        raise Broken("a finding shows what a patient is called")
    for each in submission.deliveries:
        if each.facts and each.findings:
            raise Broken("a delivery is both understood and refused")
    understood = [each for each in submission.deliveries if not each.findings]
    if understood:
        _examine_content(raw, submission)
    return bool(understood)


def _examine_content(raw: bytes, submission: Submission) -> None:
    content = parse_object(raw)
    if parse_object(written(content).encode()) != content:
        raise Broken("what is written back is not what was read")
    if submission.kind == "batch" and _entries_of(raw) != content["entry"]:
        raise Broken("the bytes of an entry are not the entry")
    if submission.kind == "transaction" and _read_cents(submission) != _told_cents(content):
        raise Broken("a charge has another amount than the source told")


def _entries_of(raw: bytes) -> list[object]:
    return [json.loads(part, parse_float=Decimal) for part in slices_of(raw)]


def _read_cents(submission: Submission) -> Counter[int]:
    facts = [fact for each in submission.deliveries for fact in each.facts if isinstance(fact, ChargeSeen)]
    return Counter(fact.amount.minor for fact in facts if fact.amount is not None)


def _told_cents(content: Json) -> Counter[int]:
    """The prices of billable charge items and of the items of active claims, as an independent look at the JSON sees them."""
    entries = content["entry"]
    assert isinstance(entries, list)
    resources = [entry["resource"] for entry in entries]
    charges = [each for each in resources if each["resourceType"] == "ChargeItem" and each["status"] == "billable"]
    claims = [each for each in resources if each["resourceType"] == "Claim" and each["status"] == "active"]
    prices = [Decimal(each["priceOverride"]["value"]) for each in charges if each.get("priceOverride")]
    prices += [_price_of(item) for each in claims for item in each["item"]]
    return Counter(int(price * 100) for price in prices)


def _price_of(item: dict[str, dict[str, Decimal]]) -> Decimal:
    if item.get("net"):
        return Decimal(item["net"]["value"])
    quantity = (item.get("quantity") or {}).get("value", Decimal(1))
    return Decimal(item["unitPrice"]["value"]) * quantity * Decimal(str(item.get("factor") or 1))
