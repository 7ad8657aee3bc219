"""How failures look on the wire: one table from our families of failure to gRPC statuses with `google.rpc.Status`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from pydantic import ValidationError

from chassis.domain import Conflict, NotYet, Refusal, Transient, Unavailable
from chassis.eventstore.port import VersionConflict
from chassis.eventstore.work import UnknownAggregate
from chassis.security.tokens import Forbidden, Unauthenticated

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "throughline"


class BadArgument(Exception):
    """A field of the request does not parse; names the field and the rule, never the value."""


class NotThere(Exception):
    """What the request names does not exist."""


@dataclass(frozen=True, slots=True)
class WireError:
    """One failure as the caller gets it; `code` is the broken rule's name."""

    status: grpc.StatusCode
    code: str
    message: str

    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """The details of the status, as gRPC clients in every language read them."""
        reason = any_pb2.Any()
        reason.Pack(error_details_pb2.ErrorInfo(reason=self.code, domain=DOMAIN))
        number: int = self.status.value[0]
        status = status_pb2.Status(code=number, message=self.message, details=[reason])
        return ((DETAILS_KEY, status.SerializeToString()),)


_STATUSES: tuple[tuple[type[BaseException], grpc.StatusCode], ...] = (
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (BadArgument, grpc.StatusCode.INVALID_ARGUMENT),
    (NotThere, grpc.StatusCode.NOT_FOUND),
    (UnknownAggregate, grpc.StatusCode.NOT_FOUND),
    (Conflict, grpc.StatusCode.ALREADY_EXISTS),
    (Refusal, grpc.StatusCode.FAILED_PRECONDITION),
    (NotYet, grpc.StatusCode.FAILED_PRECONDITION),
    (VersionConflict, grpc.StatusCode.ABORTED),
    (Transient, grpc.StatusCode.UNAVAILABLE),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)


def on_the_wire(error: BaseException) -> WireError:
    """The wire form of any failure; one that we do not know is internal, and says nothing."""
    if isinstance(error, ValidationError):
        return WireError(grpc.StatusCode.INVALID_ARGUMENT, "BadArgument", _places(error))
    for family, status in _STATUSES:
        if isinstance(error, family):
            return WireError(status, type(error).__name__, str(error))
    return WireError(grpc.StatusCode.INTERNAL, "Internal", "internal error; it has been logged")


def refusal_in(error: grpc.RpcError) -> tuple[str, str] | None:
    """The (code, message) that the server gave with its status, or None."""
    trailing = getattr(error, "trailing_metadata", None)
    for key, value in (trailing() or ()) if callable(trailing) else ():
        if key == DETAILS_KEY:
            status = status_pb2.Status.FromString(value)
            info = error_details_pb2.ErrorInfo()
            if status.details and status.details[0].Unpack(info):
                return info.reason, status.message
    return None


def uuid_in(text: str, field: str) -> UUID:
    """A UUID of a request.

    Raises:
        BadArgument: it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise BadArgument(f"{field}: not a UUID") from None


def _places(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in faults[:5])
