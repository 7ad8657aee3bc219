"""The metrics of a service; every label takes its values from a known, short list, never an id."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

BATCH_SIZES = (1, 5, 20, 50, 100, 200, 300, 400, 500)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

BATCH_MESSAGES = Histogram(
    "throughline_consumer_batch_messages", "Messages in one pulled batch", ["consumer"], buckets=BATCH_SIZES
)
BATCH_SECONDS = Histogram(
    "throughline_consumer_batch_seconds", "From pull to acknowledgement", ["consumer"], buckets=SECONDS
)
MESSAGES = Counter("throughline_consumer_messages", "What became of messages", ["consumer", "outcome"])
RECEIVED = Counter("throughline_consumer_received", "Messages received by public event", ["consumer", "type"])
FAILURES = Counter("throughline_failures", "Technical failures by where and class", ["where", "failure_class"])
LEASE_HELD = Gauge("throughline_lease_held", "1 where this replica reads the durable", ["durable"])
RELAY_POSITION = Gauge("throughline_relay_position", "Position in the log up to which events are published")
RELAY_LAG = Gauge("throughline_relay_lag_events", "Stored events not yet published")
RELAY_EVENTS = Counter("throughline_relay_events", "Stored events that the relay got past")
SWEEP_RUNS = Counter("throughline_sweep_runs", "Runs of a sweep", ["sweep", "outcome"])
SWEEP_DONE = Counter("throughline_sweep_done", "Things a sweep has done", ["sweep"])
GRPC_CALLS = Counter("throughline_grpc_calls", "Calls answered", ["method", "code"])
GRPC_SECONDS = Histogram("throughline_grpc_seconds", "Time to answer", ["method"], buckets=SECONDS)
HTTP_REQUESTS = Counter("throughline_http_requests", "Requests answered", ["route", "status"])
HTTP_SECONDS = Histogram("throughline_http_seconds", "Time to answer", ["route"], buckets=SECONDS)
DOOR_REPEATS = Counter("throughline_door_repeats", "Files that came again with the same bytes", ["door", "format"])
DOOR_REFUSALS = Counter("throughline_door_refusals", "Input refused at a door", ["door", "code"])
MASTER_DATA = Gauge("throughline_master_data", "1 for the version of master data in use", ["version"])
