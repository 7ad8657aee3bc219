"""The chassis: what every service stands on, and the only place that knows NATS, PostgreSQL and gRPC settings."""
