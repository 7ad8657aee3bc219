"""What the door tells of itself without a token: CapabilityStatement, SMART configuration, OpenAPI; and its failures."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from intake.adapters.fhir.clients import SMART_SCOPES
from intake.adapters.fhir.negotiation import NDJSON, NotOurs, check_accept
from intake.adapters.fhir.openapi import openapi_document
from intake.adapters.fhir.outcomes import fhir_response, refused
from intake.adapters.fhir.resources import TAKEN
from intake.adapters.fhir.strict_json import Json

INTERACTIONS = ("read", "vread", "history-instance", "create", "update")
_CODES = {404: "not-found", 405: "not-supported", 413: "too-long"}
_IMPORT = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/import"


def about_routes(token_url: str) -> list[Route]:
    """The open routes. `token_url` is where clients get tokens; without one, there is no SMART configuration."""

    async def metadata(request: Request) -> Response:
        try:
            check_accept(request)
        except NotOurs as other:
            return refused(other.status, other.code, str(other))
        return fhir_response(200, capability_statement(token_url))

    async def smart(request: Request) -> Response:
        return JSONResponse(smart_configuration(token_url))

    async def openapi(request: Request) -> Response:
        return JSONResponse(openapi_document())

    routes = [
        Route("/fhir/metadata", metadata, methods=["GET"]),
        Route("/fhir/openapi.json", openapi, methods=["GET"]),
    ]
    return [*routes, Route("/fhir/.well-known/smart-configuration", smart, methods=["GET"])] if token_url else routes


async def http_failure(request: Request, error: Exception) -> Response:
    """An OperationOutcome for what no route takes: unknown paths and wrong methods."""
    assert isinstance(error, HTTPException)
    text = "no such address" if error.status_code == 404 else error.detail
    return refused(error.status_code, _CODES.get(error.status_code, "processing"), text, error.headers)


def smart_configuration(token_url: str) -> Json:
    """SMART App Launch 2, backend services: clients prove themselves by a signed assertion."""
    return {
        "token_endpoint": token_url,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES384", "RS384"],
        "scopes_supported": list(SMART_SCOPES),
        "capabilities": ["client-confidential-asymmetric", "client-confidential-symmetric", "permission-v2"],
    }


def capability_statement(token_url: str = "") -> Json:
    """What this door takes."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": {"name": "Throughline intake"},
        "implementation": {"description": "Charges from the EHR"},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(token_url),
                "resource": [_resource(kind) for kind in TAKEN],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [{"name": "import", "definition": _IMPORT, "documentation": f"{NDJSON} by manifest"}],
            }
        ],
    }


def _security(token_url: str) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/restful-security-service"
    security: Json = {"service": [{"coding": [{"system": system, "code": "SMART-on-FHIR"}]}]}
    if token_url:
        url = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
        security["extension"] = [{"url": url, "extension": [{"url": "token", "valueUri": token_url}]}]
    return security


def _resource(kind: str) -> Json:
    return {
        "type": kind,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "conditionalRead": "not-match",
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical", "local"],
    }
