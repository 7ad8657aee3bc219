"""Nothing that could be PHI reaches a log line, whatever key, model, exception or library it comes by."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from canonical.classes import CanonicalModel, Phi, Pii, Public
from canonical.sealed import Sealed
from chassis.domain import Refusal
from chassis.telemetry.correlation import caused_by, incoming
from chassis.telemetry.logs import configure_logs

CANARY = "ZEBEDIAH-CANARY"


class Person(CanonicalModel):
    name: Phi[str]
    email: Pii[str]
    payer: Public[str]


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs("claims", "debug", stream)
    yield stream
    structlog.reset_defaults()
    logging.basicConfig(force=True)


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_tells_when_where_and_what(output: io.StringIO) -> None:
    structlog.get_logger().info("batch failed", consumer="claims-intake", attempt=2)
    (line,) = lines(output)
    assert (line["event"], line["service"], line["consumer"], line["attempt"]) == (
        "batch failed",
        "claims",
        "claims-intake",
        2,
    )


def test_a_key_that_is_not_allowed_shows_nothing(output: io.StringIO) -> None:
    structlog.get_logger().info("seen", patient_name=CANARY, payload={"name": CANARY})
    assert CANARY not in output.getvalue()


def test_a_model_shows_its_public_fields_alone(output: io.StringIO) -> None:
    person = Person(name=CANARY, email=f"{CANARY}@example.org", payer="PAYER1")
    structlog.get_logger().info("seen", value=person, detail=[person])
    assert CANARY not in output.getvalue()
    assert lines(output)[0]["value"]["payer"] == "PAYER1"


def test_a_sealed_part_shows_that_it_is_sealed(output: io.StringIO) -> None:
    sealed = Sealed(key_id=uuid4(), kind="patient.v1", fact=uuid4(), ciphertext=CANARY.encode())
    structlog.get_logger().info("seen", value=sealed)
    assert lines(output)[0]["value"] == "sealed"


def test_a_strangers_exception_shows_its_type_and_ours_its_message(output: io.StringIO) -> None:
    log = structlog.get_logger()
    log.error("failed", error=ValueError(CANARY))
    try:
        raise KeyError(CANARY)
    except KeyError:
        log.exception("failed")
    log.error("failed", error=Refusal("the claim is closed"))
    assert CANARY not in output.getvalue()
    assert [line["error"] for line in lines(output)] == ["ValueError", "KeyError", "Refusal: the claim is closed"]


def test_a_library_shows_the_template_of_its_message_and_no_value(output: io.StringIO) -> None:
    logging.getLogger("some.library").warning("bad input %r", CANARY)
    logging.getLogger("some.library").error(f"bad input {CANARY}")
    assert CANARY not in output.getvalue()
    assert lines(output)[0]["event"] == "bad input %r"


def test_the_cause_of_a_call_stands_on_each_of_its_lines(output: io.StringIO) -> None:
    correlation = UUID(int=7)
    with caused_by(incoming("user:anna", str(correlation), None)):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    inside, outside = lines(output)
    assert (inside["correlation_id"], inside["actor"]) == (str(correlation), "user:anna")
    assert "correlation_id" not in outside


def test_a_malformed_trace_or_correlation_is_made_anew() -> None:
    cause = incoming("user:anna", f"not-an-id-{CANARY}", f"00-{CANARY}")
    assert CANARY not in f"{cause.correlation_id}{cause.traceparent}"
    kept = incoming("user:anna", None, "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert kept.traceparent.endswith("-01")
