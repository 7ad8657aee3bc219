"""Structured logs as JSON lines on standard output; a value is shown only where its key or its data class allows it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import date, datetime
from enum import Enum
from typing import Any, TextIO
from uuid import UUID

import structlog
from canonical.classes import CanonicalModel, DataClass
from canonical.sealed import Sealed
from pydantic import BaseModel

from chassis.domain import Refusal, Transient, Unavailable, UnsafeSetting

REDACTED = "[redacted]"
TEXT_MAX = 300
SHOWN_KEYS = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "service",
        "replica",
        "correlation_id",
        "actor",
        "call_id",
        "consumer",
        "durable",
        "stream",
        "subject_type",
        "type",
        "failure_class",
        "error",
        "frames",
        "attempt",
        "messages",
        "seconds",
        "count",
        "done",
        "repeated",
        "ignored",
        "refused",
        "parked",
        "position",
        "lag",
        "sweep",
        "door",
        "route",
        "method",
        "status",
        "code",
        "port",
        "host",
        "folder",
        "step",
        "setting",
        "value",
        "needed",
        "detail",
        "case_id",
        "message_id",
        "aggregate_id",
        "entity",
        "format",
        "size",
        "segment",
        "rule",
        "signal",
        "reason",
        "made",
        "changed",
        "version",
        "held",
    ]
)
_SHOWN_CLASSES = (None, DataClass.PUBLIC)
_OWN_FAILURES = (Refusal, Transient, Unavailable, UnsafeSetting)


def configure_logs(service: str, level: str = "info", output: TextIO | None = None) -> None:
    """Sets up logging for the process: our own lines by structlog, those of libraries without their values."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _named(service),
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(output or sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = LibraryHandler(service, output or sys.stdout)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def _named(service: str) -> structlog.typing.Processor:
    def add(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["service"] = service
        return line

    return add


def redact(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before rendering: nothing gets past it that is not allowed by key and by data class."""
    failure = line.pop("exc_info", None)
    shown = {key: shown_value(value) if key in SHOWN_KEYS else REDACTED for key, value in line.items()}
    if isinstance(failure, BaseException):
        shown["error"] = shown_value(failure)
    elif failure:
        shown["error"] = shown_value(sys.exc_info()[1])
    return shown


def shown_value(value: object) -> object:
    """What a log may hold of a value: scalars cut short, models by the class of each field, errors by their type."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:TEXT_MAX]
    if isinstance(value, UUID | datetime | date):
        return str(value)
    if isinstance(value, Enum):
        return shown_value(value.value)
    if isinstance(value, BaseModel):
        return _shown_model(value)
    if isinstance(value, BaseException):
        return (
            f"{type(value).__name__}: {value}"[:TEXT_MAX] if isinstance(value, _OWN_FAILURES) else type(value).__name__
        )
    if isinstance(value, list | tuple | set | frozenset):
        return [shown_value(item) for item in list(value)[:20]]
    return REDACTED


def _shown_model(model: BaseModel) -> object:
    if isinstance(model, Sealed):
        return "sealed"
    if not isinstance(model, CanonicalModel):
        return REDACTED
    return {
        name: shown_value(getattr(model, name)) if found in _SHOWN_CLASSES else REDACTED
        for name, found in type(model).data_classes.items()
    }


class LibraryHandler(logging.Handler):
    """Lines of libraries: the template of the message, never the values that would fill it."""

    def __init__(self, service: str, output: TextIO) -> None:
        super().__init__()
        self._service = service
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        line = {
            "service": self._service,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg)[:TEXT_MAX] if record.args else "library message",
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        self._output.write(json.dumps(line) + "\n")


def frames_of(error: BaseException) -> str:
    """Where an error arose: file and line of its last frames, without any value it carries."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(places[-6:]))
