"""Who may say and hear what on NATS: the least-privilege table from which the server's users are rendered."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Consumers: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]
"""Per service, the durable consumers it may pull from: (stream, durable)."""

Permissions: TypeAlias = dict[str, dict[str, list[str]]]
"""The `permissions` block of one user in the server's configuration; what is not allowed is denied."""

SUBJECT_TOKENS: Mapping[str, str] = {
    "intake": "intake",
    "claims": "claims",
    "payments": "payments",
    "ledger-adapter": "ledger",
    "reconciliation": "reconciliation",
}
SERVICES = tuple(SUBJECT_TOKENS)
OPERATOR = "operator"
CHECKER = "checker"
USERS = (*SERVICES, OPERATOR, CHECKER)


class ConsumerNotOwned(ValueError):
    """A service was given a durable whose name does not begin with its own token."""


def stream_of(service: str) -> str:
    """The public stream this service alone publishes to, such as BILLING_LEDGER."""
    return f"BILLING_{SUBJECT_TOKENS[service].upper()}"


def lease_bucket_of(service: str) -> str:
    """The key-value bucket in which replicas of this service lease their partitions, such as LEASES_LEDGER_ADAPTER."""
    return f"LEASES_{service.upper().replace('-', '_')}"


def inbox_prefix_of(user: str) -> str:
    """The prefix of every reply subject of this user; a client that keeps the default hears nothing."""
    return f"_INBOX_{user}"


def permissions_for(service: str, consumers: Consumers) -> Permissions:
    """What one service may publish and subscribe to.

    It publishes its own events, reads what its own stream holds, reads the settings of all streams, and pulls and
    acknowledges by the durables given for it. It cannot make, change or delete a stream or a consumer.

    Raises:
        ConsumerNotOwned: a durable's name does not begin with the service's token and a dash.
    """
    publish = [
        f"billing.{SUBJECT_TOKENS[service]}.>",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        *_reading(stream_of(service)),
        *_leasing(lease_bucket_of(service)),
    ]
    for stream, durable in consumers.get(service, ()):
        if not durable.startswith(f"{SUBJECT_TOKENS[service]}-"):
            raise ConsumerNotOwned(
                f"{service} may not pull from {durable}: its durables begin with {SUBJECT_TOKENS[service]}-"
            )
        publish += _pulling(stream, durable)
    return _permissions(service, publish)


def operator_permissions() -> Permissions:
    """The operator declares streams and consumers and takes no message."""
    publish = [
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        *(f"$JS.API.STREAM.{verb}.>" for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "INFO", "LEADER.STEPDOWN")),
        *(f"$JS.API.CONSUMER.{verb}.>" for verb in ("CREATE", "DURABLE.CREATE", "DELETE", "INFO", "NAMES", "LIST")),
        *(f"$JS.API.CONSUMER.{verb}.>" for verb in ("PAUSE", "LEADER.STEPDOWN")),
    ]
    return _permissions(OPERATOR, publish)


def checker_permissions() -> Permissions:
    """The checker reads every stream and the state of every consumer, and changes nothing."""
    publish = [
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.STREAM.MSG.GET.*",
        "$JS.API.DIRECT.GET.>",
        "$JS.API.CONSUMER.NAMES.*",
        "$JS.API.CONSUMER.LIST.*",
        "$JS.API.CONSUMER.INFO.>",
    ]
    return _permissions(CHECKER, publish)


def permissions_of_all_users(consumers: Consumers) -> dict[str, Permissions]:
    """The whole table, by user."""
    return {
        **{service: permissions_for(service, consumers) for service in SERVICES},
        OPERATOR: operator_permissions(),
        CHECKER: checker_permissions(),
    }


def _reading(stream: str) -> list[str]:
    return [f"$JS.API.STREAM.MSG.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.>"]


def _leasing(bucket: str) -> list[str]:
    return [f"$KV.{bucket}.>", *_reading(f"KV_{bucket}")]


def _pulling(stream: str, durable: str) -> list[str]:
    return [
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        f"$JS.ACK.{stream}.{durable}.>",
    ]


def _permissions(user: str, publish: list[str]) -> Permissions:
    return {"publish": {"allow": publish}, "subscribe": {"allow": [f"{inbox_prefix_of(user)}.>"]}}
