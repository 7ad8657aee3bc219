"""`throughline`, the command line: a thin client of the services, and tools that need none of them."""

import os

# Before gRPC is imported: its handlers of fork abort the child now and then, and ours only become other programs.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
