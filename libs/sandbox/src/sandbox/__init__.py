"""The outside world of Throughline for demos and tests: real servers, and simulators that misbehave on request."""
