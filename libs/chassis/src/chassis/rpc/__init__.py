"""gRPC between services and for people: deadlines, tokens, typed errors, correlation, health and reflection."""

from chassis.rpc.client import RemoteRefusal, channel_to
from chassis.rpc.errors import BadArgument, NotThere
from chassis.rpc.server import GrpcService, make_server

__all__ = ["BadArgument", "GrpcService", "NotThere", "RemoteRefusal", "channel_to", "make_server"]
