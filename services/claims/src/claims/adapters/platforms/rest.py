"""Batches out and reports in by a platform's REST interface.

    PUT  /v1/batches/{name}          transactions, headers `Digest: sha-256=<hex>`, `Idempotency-Key` -> 201, 200 for the same again, 409 for other bytes
    GET  /v1/batches/{name}          -> 200 {"sha256": "..."}, 404
    GET  /v1/reports                 -> 200 {"answers": [{"id": "...", "name": "..."}]}, oldest first
    GET  /v1/reports/{id}            -> 200, a report (application/x-ndjson)
    POST /v1/reports/{id}/taken      -> 204

Every call carries an access token (OAuth 2.0, client credentials). Names are the numbers of our batches, so that no address holds
PHI. That a report waits may be said by a webhook (`claims.adapters.clearinghouses.webhook`), which only makes us ask sooner.
"""

from __future__ import annotations

from dataclasses import dataclass

from chassis.security.client_credentials import ClientCredentials
from pydantic import SecretStr

from claims.adapters.clearinghouses.rest import BearerAuth, Places, RestExchange

NDJSON = "application/x-ndjson"
PLATFORM = Places("batches", "reports", NDJSON)


@dataclass(frozen=True, slots=True)
class PlatformAccess:
    """Where the platform is, and where and as whom we get a token for it."""

    base_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str = ""


class RestPlatform(RestExchange):
    """As the interface above says."""

    def __init__(self, access: PlatformAccess) -> None:
        credentials = ClientCredentials(
            access.token_url, access.client_id, access.client_secret.get_secret_value(), scope=access.scope
        )
        super().__init__(access.base_url, BearerAuth(credentials.token), PLATFORM)
