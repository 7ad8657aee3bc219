"""Resources of plain content come out as `fhir.resources` has them; everything else is left to it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from intake.adapters.fhir.plain_resources import plain_resource
from intake.adapters.fhir.resources import TAKEN
from intake.adapters.fhir.strict_json import Json, parse_object
from intake.domain.refusals import InvalidMessage
from pydantic import BaseModel

from services.intake.tests.fuzz_fhir.mutator import mutate
from services.intake.tests.fuzz_fhir.target import kept_seeds

from .world import STORY, Wire, encounters, messages_of

MUTANTS = 300


def resources_of(raw: bytes) -> list[Json]:
    try:
        content = parse_object(raw)
    except InvalidMessage:
        return []
    entries = content.get("entry")
    found = [each.get("resource") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("resourceType") in TAKEN]


def by_the_library(resource: Json) -> Any:
    """None where it refuses, or trips."""
    try:
        return get_fhir_model_class(str(resource["resourceType"])).model_validate(resource)
    except (ValueError, TypeError, AttributeError):
        return None


def assert_same(plain: object, model: object) -> None:
    """Of every field that a resource of the library has, the same value of the same type."""
    if isinstance(model, BaseModel):
        for name in type(model).model_fields:
            assert_same(getattr(plain, name), getattr(model, name))
    elif isinstance(model, list):
        assert isinstance(plain, list)
        assert len(plain) == len(model)
        for one, other in zip(plain, model, strict=True):
            assert_same(one, other)
    else:
        assert (type(plain), plain) == (type(model), model)


def test_what_the_ehr_sends_is_plain_and_comes_out_as_the_library_has_it() -> None:
    sent = [
        each for story in encounters(Wire.FHIR) for raw in messages_of(story).messages for each in resources_of(raw)
    ]
    assert len(sent) > len(STORY.encounters)
    for resource in sent:
        plain = plain_resource(str(resource["resourceType"]), resource)
        assert plain is not None
        assert_same(plain, by_the_library(resource))


def test_no_mutant_is_taken_that_the_library_refuses_or_has_otherwise() -> None:
    dice, seeds = random.Random(7), kept_seeds()
    taken = 0
    for _ in range(MUTANTS):
        for resource in resources_of(mutate(dice, dice.choice(seeds), seeds)):
            plain = plain_resource(str(resource["resourceType"]), resource)
            if plain is not None:
                taken += 1
                assert_same(plain, by_the_library(resource))
    assert taken > MUTANTS


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "gender": None},
        {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}},
        {"resourceType": "Patient", "contained": [{"resourceType": "Organization"}]},
        {"resourceType": "Patient", "deceasedBoolean": True, "deceasedDateTime": "2026-01-01"},
        {"resourceType": "Patient", "name": '{"family": "Roe"}'},
        {"resourceType": "Patient", "name": [None]},
        {"resourceType": "Patient", "unheard_of": 1},
        {"resourceType": "Patient", "birthDate": "yesterday"},
        {"resourceType": "Coverage", "status": "active", "beneficiary": {"reference": "Patient/1"}},
        {"resourceType": "Encounter", "class": {"code": "AMB"}},
    ],
)
def test_what_is_unusual_or_wrong_is_left_to_the_library(resource: Json) -> None:
    assert plain_resource(str(resource["resourceType"]), resource) is None


def test_a_month_of_birth_is_left_to_the_library_or_has_its_value() -> None:
    resource: Json = {"resourceType": "Patient", "birthDate": "2026-02"}
    assert_same(plain_resource("Patient", resource), by_the_library(resource))
