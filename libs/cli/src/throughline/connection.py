"""Where the services of a suite are, how to get in, and what their refusals mean to a command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import grpc
import typer
from chassis.domain import Transient, Unavailable
from chassis.rpc import RemoteRefusal
from chassis.rpc.client import CallingInterceptor, TokenSource
from chassis.security.client_credentials import ClientCredentials
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from throughline.outcome import Failure, NotFound, Refused, Unreachable, Unusable

STATE_FOLDER = ".throughline"
CLIENT_FILE = "client.json"
MASTER_DATA = "master_data.json"
CLIENT_ID = "THROUGHLINE_CLIENT_ID"
CLIENT_SECRET = "THROUGHLINE_CLIENT_SECRET"  # noqa: S105 (the name of a variable)
SERVICE_HEADER = "x-throughline-service"
DEADLINE_SECONDS = 15.0
MESSAGE_BYTES_MAX = 64 * 1024 * 1024

Service = Literal["intake", "claims", "payments", "ledger", "reconciliation"]
SERVICES: tuple[Service, ...] = get_args(Service)
_OTHER_NAMES = {"ledger-adapter": "ledger", "ledger_adapter": "ledger"}

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="THROUGHLINE_STATE",
        metavar="DIR",
        help="State folder of the suite; else the nearest .throughline, from here upwards.",
    ),
]

_Answer = TypeVar("_Answer")


class Gateway(BaseModel):
    """The one way in: its address, and the certificate authority that its own certificate is signed by."""

    model_config = ConfigDict(frozen=True)

    address: str
    ca: Path


class Connection(BaseModel):
    """What `up` writes for its clients. Without a gateway, the services are called at their own addresses."""

    model_config = ConfigDict(frozen=True)

    gateway: Gateway | None = None
    token_url: str = ""
    client_id: str = ""
    client_secret: str = Field(default="", repr=False)
    services: Mapping[str, str] = {}
    exchange: Path | None = None
    mllp: str = ""
    fhir: str = ""


def state_folder(chosen: Path | None) -> Path:
    """The folder chosen, or the nearest `.throughline` from the working folder upwards, or the one that would be made."""
    if chosen is not None:
        return chosen
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder / STATE_FOLDER
    return here / STATE_FOLDER


def read_connection(chosen: Path | None) -> Connection:
    """The connection that the suite of this state folder has written; another client's, where the environment names one.

    Raises:
        Unreachable: no suite has been started there.
        Unusable: the file is there and cannot be read.
    """
    path = state_folder(chosen) / CLIENT_FILE
    try:
        connection = Connection.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise Unreachable(f"no suite has been started here: {path} is missing; `throughline up` makes it") from None
    except (OSError, ValidationError) as error:
        raise Unusable(f"{path} cannot be read: {type(error).__name__}") from None
    other = {"client_id": os.environ.get(CLIENT_ID, ""), "client_secret": os.environ.get(CLIENT_SECRET, "")}
    return connection.model_copy(update=other) if all(other.values()) else connection


def service_named(name: str) -> Service:
    """The service of that name, `ledger-adapter` included.

    Raises:
        Unusable: there is none.
    """
    for service in SERVICES:
        if service == _OTHER_NAMES.get(name, name):
            return service
    raise Unusable(f"no service is called {name}; there are {', '.join(SERVICES)}")


class Access:
    """Calls to the services of one suite, with our token, through its gateway."""

    def __init__(self, connection: Connection, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self.connection = connection
        self._deadline_seconds = deadline_seconds
        self._tokens = tokens_of(connection)
        self._channels: dict[str, grpc.Channel] = {}

    def channel(self, service: Service) -> grpc.Channel:
        """The channel for the stubs of a service.

        Raises:
            Unreachable: neither a gateway nor an address of the service is known.
        """
        gateway = self.connection.gateway
        address = gateway.address if gateway else self.connection.services.get(service, "")
        if not address:
            raise Unreachable(f"no address of {service} is known; is it part of this suite?")
        if address not in self._channels:
            bare = _secure_channel(gateway) if gateway else grpc.insecure_channel(address, options=_OPTIONS)
            self._channels[address] = grpc.intercept_channel(
                bare, CallingInterceptor(self._tokens, self._deadline_seconds)
            )
        return self._channels[address]

    def call(self, service: Service, method: Callable[..., _Answer], request: object) -> _Answer:
        """One call of a stub of `service`.

        Raises:
            Failure: what went wrong, in this command line's own terms.
        """
        with told_as_failure(service):
            return method(request, metadata=((SERVICE_HEADER, service),))

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()


@contextmanager
def access_to(state: Path | None, *, deadline_seconds: float = DEADLINE_SECONDS) -> Iterator[Access]:
    """Access to the suite of a state folder; each call may take so long."""
    access = Access(read_connection(state), deadline_seconds=deadline_seconds)
    try:
        yield access
    finally:
        access.close()


def tokens_of(connection: Connection) -> TokenSource | None:
    """Where this client gets its tokens; None where the suite asks for none."""
    if not connection.token_url:
        return None
    return ClientCredentials(connection.token_url, connection.client_id, connection.client_secret)


@contextmanager
def told_as_failure(place: str) -> Iterator[None]:
    """Turns what a call raises into a Failure that names the place."""
    try:
        yield
    except RemoteRefusal as refusal:
        raise _meaning(place, refusal) from None
    except (Transient, Unavailable) as down:
        raise Unreachable(f"{place} does not answer ({down})") from None
    except grpc.RpcError as error:
        raise _unclassified(place, error) from None


_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
)
_MEANINGS: dict[str, type[Failure]] = {
    "NotThere": NotFound,
    "UnknownAggregate": NotFound,
    "BadArgument": Unusable,
    "Unauthenticated": Unreachable,
}


def _secure_channel(gateway: Gateway) -> grpc.Channel:
    try:
        authority = gateway.ca.read_bytes()
    except OSError as error:
        raise Unreachable(f"the gateway's certificate authority cannot be read: {error.strerror}") from None
    return grpc.secure_channel(gateway.address, grpc.ssl_channel_credentials(authority), options=_OPTIONS)


def _meaning(place: str, refusal: RemoteRefusal) -> Failure:
    kind = _MEANINGS.get(refusal.code, Refused)
    return kind(f"{place}: {refusal}", "" if kind is not Refused else refusal.code)


def _unclassified(place: str, error: grpc.RpcError) -> Failure:
    status = error.code() if callable(getattr(error, "code", None)) else grpc.StatusCode.UNKNOWN
    details = error.details() if callable(getattr(error, "details", None)) else ""
    message = f"{place}: {details or status.name.lower().replace('_', ' ')}"
    if status is grpc.StatusCode.NOT_FOUND:
        return NotFound(message)
    if status in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE):
        return Unusable(message)
    if status in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED):
        return Refused(message, "Forbidden" if status is grpc.StatusCode.PERMISSION_DENIED else status.name)
    return Unreachable(message)
