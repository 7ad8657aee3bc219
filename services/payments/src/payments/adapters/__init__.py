"""The edges of payments: bank files, the gateway's webhooks and API, gRPC."""
