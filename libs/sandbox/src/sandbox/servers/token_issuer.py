"""The issuer of access tokens: OAuth 2.0 client credentials in, short-lived signed JWTs out (RFC 6749, RFC 9068)."""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc.jwk import ECKey, KeySet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.servers.client_assertions import ALGORITHMS, METHOD, SignedAssertion
from sandbox.servers.client_keys import FetchedKeys, checked_url

ALGORITHM = "ES256"
GRANT_TYPE = "client_credentials"
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
CLIENT_METHODS = (*SECRET_METHODS, METHOD)
MAX_FORM_FIELDS = 20
MAX_FORM_BYTES = 8_192


def _url_or_none(url: str) -> str:
    return checked_url(url) if url else ""


class TokenClient(BaseModel):
    """A program that may ask for tokens, and for which scopes at most.

    It has a secret, or public keys: as a JWKS, or where it publishes them (https, or on this machine).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str = Field(min_length=1)
    secret: str = Field(default="", pattern="^(.{16,})?$", repr=False)
    scopes: tuple[str, ...] = Field(min_length=1)
    jwks: Mapping[str, Any] = {}
    jwks_url: Annotated[str, AfterValidator(_url_or_none)] = ""


class TokenSettings(BaseModel):
    """What the token server is started with; the file holds secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    audience: str = "throughline"
    life_seconds: int = Field(default=300, gt=0, le=3600)
    signing_key: Mapping[str, str] = Field(repr=False)
    """A private EC P-256 key as JWK."""
    clients: tuple[TokenClient, ...]


def _keys_of(settings: TokenClient) -> KeySet | None:
    if settings.jwks_url:
        return FetchedKeys(settings.jwks_url)
    return KeySet.import_key_set(dict(settings.jwks)) if settings.jwks else None  # type: ignore[arg-type]


class _Client:
    """A client as Authlib asks about it."""

    def __init__(self, settings: TokenClient) -> None:
        self._settings = settings
        self.keys = _keys_of(settings)

    def get_client_id(self) -> str:
        return self._settings.client_id

    def check_client_secret(self, secret: str) -> bool:
        known = self._settings.secret
        return bool(known) and hmac.compare_digest(secret.encode(), known.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        allowed = (METHOD,) if self.keys is not None else SECRET_METHODS
        return endpoint == "token" and method in allowed

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == GRANT_TYPE

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All scopes of the client if none is asked for; nothing, which Authlib refuses, if one is not its own."""
        if not scope:
            return " ".join(self._settings.scopes)
        return scope if set(scope.split()) <= set(self._settings.scopes) else None


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = list(CLIENT_METHODS)


class _Generator(JWTBearerTokenGenerator):  # type: ignore[misc]
    def __init__(self, settings: TokenSettings, key: ECKey) -> None:
        super().__init__(issuer=settings.issuer, alg=ALGORITHM, expires_generator=lambda *_: settings.life_seconds)
        self._audience = settings.audience
        self._key = key

    def get_jwks(self) -> ECKey:
        return self._key

    def get_audiences(self, client: _Client, user: None, scope: str) -> str:
        return self._audience


class _FormRequest(OAuth2Request):  # type: ignore[misc]
    def __init__(self, request: Request, form: dict[str, str]) -> None:
        super().__init__(request.method, str(request.url), headers=request.headers)
        self.payload = BasicOAuth2Payload(form)
        self._form = form

    @property
    def args(self) -> dict[str, str]:
        return {}

    @property
    def form(self) -> dict[str, str]:
        return self._form


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, settings: TokenSettings, key: ECKey) -> None:
        super().__init__(scopes_supported=_scopes(settings))
        self._clients = {client.client_id: _Client(client) for client in settings.clients}
        self.register_grant(_Grant)
        self.register_client_auth_method(METHOD, SignedAssertion([f"{settings.issuer}/token", settings.issuer]))
        self.register_token_generator("default", _Generator(settings, key))

    def query_client(self, client_id: str) -> _Client | None:
        return self._clients.get(client_id)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Nothing is kept: a token proves itself by its signature and ends by its time."""

    def create_oauth2_request(self, request: _FormRequest) -> _FormRequest:
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: object, headers: list[tuple[str, str]]) -> Response:
        return JSONResponse(body, status_code=status, headers=dict(headers))


def token_app(settings: TokenSettings) -> Starlette:
    """The HTTP application: /token, the public keys, discovery and health."""
    key = ECKey.import_key(dict(settings.signing_key))
    key.ensure_kid()
    server = _Server(settings, key)
    public = {**key.as_dict(private=False), "alg": ALGORITHM, "use": "sig", "kid": key.kid}

    async def token(request: Request) -> Response:
        try:
            form = await _form(request)
        except ValueError:
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        response: Response = await asyncio.to_thread(server.create_token_response, _FormRequest(request, form))
        return response

    async def keys(request: Request) -> Response:
        return JSONResponse({"keys": [public]})

    async def discovery(request: Request) -> Response:
        return JSONResponse(_metadata(settings))

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/token", token, methods=["POST"]),
            Route("/.well-known/jwks.json", keys),
            Route("/.well-known/openid-configuration", discovery),
            Route("/.well-known/oauth-authorization-server", discovery),
            Route("/healthz", health),
        ]
    )


async def _form(request: Request) -> dict[str, str]:
    """The form of a token request.

    Raises:
        ValueError: it is too large, not a form, or names a field twice.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise ValueError("the form is too large")
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_FORM_FIELDS)
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field is named twice")
    return dict(pairs)


def _scopes(settings: TokenSettings) -> list[str]:
    return sorted({scope for client in settings.clients for scope in client.scopes})


def _metadata(settings: TokenSettings) -> dict[str, object]:
    return {
        "issuer": settings.issuer,
        "token_endpoint": f"{settings.issuer}/token",
        "jwks_uri": f"{settings.issuer}/.well-known/jwks.json",
        "scopes_supported": _scopes(settings),
        "response_types_supported": [],
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": list(CLIENT_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }
