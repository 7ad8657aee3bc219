"""Every version of a resource is kept as long as the message that brought it, and shown to its own source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chassis.inbound.retention import KEEP_DAYS
from intake.domain.access import Disclosure
from starlette.testclient import TestClient

from .fhir_world import JSON, as_client, opened
from .world import IntakeUnderTest, Wire, bundle, encounters, raw, resources

ENCOUNTER = next(each for each in encounters(Wire.FHIR) if each.source == "ehr-north")
PATIENT = resources(bundle(ENCOUNTER), "Patient")[0] | {"meta": {"source": ENCOUNTER.source}}
ADDRESS = f"/fhir/Patient/{PATIENT['id']}"
GENDERS = ("male", "female", "unknown")


@pytest.fixture
def service() -> IntakeUnderTest:
    return IntakeUnderTest()


@pytest.fixture
def http(service: IntakeUnderTest) -> Iterator[TestClient]:
    """A door that has taken one patient in three versions."""
    with opened(service) as client:
        for gender in GENDERS:
            content = raw(PATIENT | {"gender": gender})
            assert client.put(ADDRESS, content=content, headers=JSON).status_code in (200, 201)
            service.clock.advance(days=1)
        yield client


def history(http: TestClient, query: str = "") -> Any:
    answer = http.get(f"{ADDRESS}/_history{query}", headers=JSON)
    assert answer.status_code == 200
    return answer.json()


def test_each_version_is_read_by_its_number(http: TestClient) -> None:
    answers = [http.get(f"{ADDRESS}/_history/{number}", headers=JSON) for number in (1, 2, 3)]
    assert [each.json()["gender"] for each in answers] == list(GENDERS)
    assert [each.json()["meta"]["versionId"] for each in answers] == ["1", "2", "3"]
    assert [each.headers["ETag"] for each in answers] == ['W/"1"', 'W/"2"', 'W/"3"']


@pytest.mark.parametrize("number", ["0", "4", "x", "-1", "9999999999"])
def test_a_version_that_never_was_is_unknown(http: TestClient, number: str) -> None:
    assert http.get(f"{ADDRESS}/_history/{number}", headers=JSON).status_code == 404


def test_the_history_shows_all_versions_the_newest_first(http: TestClient) -> None:
    told = history(http)
    assert (told["resourceType"], told["type"], told["total"]) == ("Bundle", "history", 3)
    assert [each["resource"]["gender"] for each in told["entry"]] == list(reversed(GENDERS))
    assert [each["response"]["etag"] for each in told["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert "link" not in told


def test_the_history_comes_in_pages_that_follow_each_other(http: TestClient) -> None:
    first = history(http, "?_count=2")
    (link,) = first["link"]
    second = http.get(link["url"], headers=JSON).json()
    assert [len(each["entry"]) for each in (first, second)] == [2, 1]
    assert second["entry"][0]["resource"]["gender"] == GENDERS[0]
    assert "link" not in second
    assert history(http, "?_count=0&_before=x")["total"] == 3


def test_each_look_is_recorded_and_needs_the_right_to_read(http: TestClient, service: IntakeUnderTest) -> None:
    history(http)
    looks = [each.event for each in service.store.log(0, 1000) if isinstance(each.event, Disclosure.Given)]
    assert [each.what for each in looks] == ["resource"]
    address = f"{ADDRESS}/_history"
    assert http.get(address, headers=as_client("charges")).status_code == 200
    assert http.get(address, headers=as_client("creator")).status_code == 403
    assert http.get(f"{address}/1", headers=as_client("creator")).status_code == 403


def test_another_source_sees_no_version(http: TestClient) -> None:
    assert http.get(f"{ADDRESS}/_history", headers=as_client("stranger")).status_code == 404
    assert http.get(f"{ADDRESS}/_history/1", headers=as_client("stranger")).status_code == 404


def test_a_version_whose_bytes_expired_is_gone_and_the_history_says_so(
    http: TestClient, service: IntakeUnderTest
) -> None:
    service.clock.advance(days=KEEP_DAYS - 2)
    (sweep,) = [each for each in service.intake.core.sweeps if each.name == "expire-raw"]
    assert sweep.run() == 1
    assert http.get(f"{ADDRESS}/_history/1", headers=JSON).status_code == 410
    told = history(http)["entry"]
    assert ["resource" in each for each in told] == [True, True, False]
    assert told[-1]["response"]["status"] == "410 Gone"


def test_what_is_known_of_an_organization_is_read_anew_where_it_says_something_else(http: TestClient) -> None:
    told = resources(bundle(ENCOUNTER), "Organization")[0] | {"meta": {"source": ENCOUNTER.source}}
    address = f"/fhir/Organization/{told['id']}"
    names = ("Harbor", "Harbor", "Haven", "Harbor")
    answers = [http.put(address, content=raw(told | {"name": name}), headers=JSON) for name in names]
    assert [each.headers["ETag"] for each in answers] == ['W/"1"', 'W/"1"', 'W/"2"', 'W/"3"']
    refused = http.put(address, content=raw(told | {"name": 7}), headers=JSON)
    assert refused.status_code in (400, 422)
