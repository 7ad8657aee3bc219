"""The token server of the local suite: `python -m sandbox.servers.tokens --config FILE --port N`, and its runner."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import uvicorn
from joserfc.jwk import ECKey

from sandbox.folders import generated_secrets, private_folder, write_private
from sandbox.ports import kept_ports
from sandbox.processes import ManagedProcess
from sandbox.servers.token_issuer import TokenClient, TokenSettings, token_app

AUDIENCE = "throughline"
LIFE_SECONDS = 300
HEALTH_TIMEOUT_SECONDS = 2.0
START_DEADLINE_SECONDS = 120.0

SERVICES = ("intake", "claims", "payments", "ledger", "reconciliation")
READ_SCOPES = tuple(f"{service}.read" for service in SERVICES)
WRITE_SCOPES = (*(f"{service}.write" for service in SERVICES), "payments.approve")

CLIENTS: Mapping[str, Sequence[str]] = {
    "ehr": ("intake.write",),
    "operator": (*READ_SCOPES, *WRITE_SCOPES),
    "console": (*READ_SCOPES, *WRITE_SCOPES),
    "auditor": READ_SCOPES,
}
"""The programs of the local suite and the scopes each may ask for."""


class TokenServer:
    """One token server with its own signing key and a generated secret per client."""

    def __init__(
        self,
        folder: Path,
        *,
        clients: Mapping[str, Sequence[str]] = CLIENTS,
        port: int | None = None,
        detached: bool = False,
    ) -> None:
        self.folder = private_folder(folder)
        self.port = port or kept_ports(folder / "ports.json", ["tokens"])["tokens"]
        self._clients = clients
        self._secrets = generated_secrets(folder / "secrets.json", clients)
        self._configuration = folder / "tokens-config.json"
        self.process = ManagedProcess(
            "tokens",
            [sys.executable, "-m", __name__, "--config", str(self._configuration), "--port", str(self.port)],
            log_file=folder / "tokens.log",
            record_file=folder / "tokens.json",
            detached=detached,
        )

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens and the base of its addresses."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        """Where a client asks for a token."""
        return f"{self.issuer}/token"

    @property
    def jwks_url(self) -> str:
        """Where the public keys are."""
        return f"{self.issuer}/.well-known/jwks.json"

    def secret(self, client: str) -> str:
        """The generated secret of a client."""
        return self._secrets[client]

    def token(self, client: str, scope: str = "") -> str:
        """A fresh access token for a client of the suite, for all its scopes unless some are named.

        Raises:
            httpx.HTTPStatusError: the client may not have the scope.
        """
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        answer = httpx.post(
            self.token_url,
            data=form,
            auth=(client, self.secret(client)),
            timeout=HEALTH_TIMEOUT_SECONDS,
            trust_env=False,
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def start(self) -> None:
        """Write the configuration, start the server and wait until it answers.

        Raises:
            DidNotStart: it did not become healthy.
        """
        write_private(self._configuration, self._settings().model_dump_json())
        self.process.start()
        self.process.wait_until_healthy(self.is_healthy, START_DEADLINE_SECONDS)

    def stop(self) -> None:
        """End the server; tokens already given stay valid until their time is up."""
        self.process.stop()

    def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            answer = httpx.get(f"{self.issuer}/healthz", timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _settings(self) -> TokenSettings:
        return TokenSettings(
            issuer=self.issuer,
            audience=AUDIENCE,
            life_seconds=LIFE_SECONDS,
            signing_key=self._signing_key(),
            clients=tuple(
                TokenClient(client_id=client, secret=self._secrets[client], scopes=tuple(scopes))
                for client, scopes in self._clients.items()
            ),
        )

    def _signing_key(self) -> dict[str, str]:
        """Kept between starts, so that a gateway which has fetched the public key goes on trusting it."""
        file = self.folder / "signing-key.json"
        if not file.exists():
            write_private(file, json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
        key: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return key


def main() -> None:
    """Serve the configuration of a file on a loopback port until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.servers.tokens", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON as in TokenSettings")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    settings = TokenSettings.model_validate_json(arguments.config.read_text(encoding="utf-8"))
    uvicorn.run(token_app(settings), host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
