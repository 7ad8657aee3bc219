"""The OpenAPI description of the FHIR surface: `python -m intake.adapters.fhir.openapi FILE [--check]` publishes it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from intake.adapters.fhir.negotiation import MEDIA_TYPE, NDJSON
from intake.adapters.fhir.resources import TAKEN
from intake.adapters.fhir.strict_json import Json

_REFUSALS = {
    "400": "The body is no JSON",
    "401": "No valid token",
    "403": "Not this client's scope or source",
    "404": "No such thing of this client's sources",
    "406": "The answer would be application/fhir+json",
    "409": "The same id with other content, where none was expected",
    "410": "Its bytes were erased, or kept long enough",
    "412": "The resource is at another version",
    "413": "The body is too large",
    "415": "Another format or another release of FHIR",
    "422": "The content breaks a rule: each issue names path and rule",
    "429": "Too much waits; Retry-After says when to come again",
    "503": "Not kept; Retry-After says when to come again",
}
_WRITING = ("400", "401", "403", "406", "409", "412", "413", "415", "422", "429", "503")
_READING = ("401", "403", "404", "406", "410", "503")


def openapi_document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Throughline intake: FHIR R4",
            "version": "1.0.0",
            "description": "Resources and bundles of an EHR come in here. Each answer is given after what it speaks of is durable.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": _schemas(),
        },
    }


def _paths() -> Json:
    return {
        "/fhir/metadata": {"get": _open("readCapabilities", "CapabilityStatement of the door", MEDIA_TYPE, "406")},
        "/fhir/openapi.json": {"get": _open("readOpenApi", "This description", "application/json")},
        "/fhir/.well-known/smart-configuration": {
            "get": _open("readSmartConfiguration", "Where and how a client gets a token", "application/json", "404")
        },
        "/fhir": {"post": _write("postBundle", "A transaction, taken whole or not, or a batch", "Bundle", ("200",))},
        "/fhir/{type}": {
            "parameters": [_type_parameter()],
            "post": _write(
                "create", "Create a resource; If-None-Exist makes it conditional", "Resource", ("200", "201")
            )
            | {"parameters": [_header("If-None-Exist", "identifier=system|value")]},
            "put": _write("updateByIdentifier", "Update what the condition names", "Resource", ("200", "201"))
            | {"parameters": [_query("identifier", "system|value")]},
        },
        "/fhir/{type}/{id}": {
            "parameters": [_type_parameter(), _id_parameter()],
            "get": _read("readResource", "The resource as it is known here", MEDIA_TYPE, "Resource"),
            "put": _write(
                "update", "Create or update the resource; If-Match makes it conditional", "Resource", ("200", "201")
            )
            | {"parameters": [_header("If-Match", 'W/"version"')]},
        },
        "/fhir/{type}/{id}/_history": {
            "parameters": [_type_parameter(), _id_parameter()],
            "get": _read("readHistory", "The versions of the resource, the newest first", MEDIA_TYPE, "History")
            | {"parameters": [_paging("_count", 100), _paging("_before", 999_999_999)]},
        },
        "/fhir/{type}/{id}/_history/{version}": {
            "parameters": [_type_parameter(), _id_parameter(), _version_parameter()],
            "get": _read("readVersion", "One version of the resource", MEDIA_TYPE, "Resource"),
        },
        "/fhir/$import": {"post": _start_import()},
        "/fhir/$import-status/{job}": {
            "parameters": [_job_parameter()],
            "get": _read("readImport", "How far an import is; 202 until it is done", "application/json", "ImportStatus")
            | {"summary": "How far an import is"},
            "delete": {
                "operationId": "cancelImport",
                "summary": "Stop an import; what it has taken stays taken",
                "responses": {"202": {"description": "It stops"}} | _refusals(_READING),
            },
        },
        "/fhir/$import-outcomes/{job}/{page}": {
            "parameters": [_job_parameter(), _page_parameter()],
            "get": _read("readImportOutcomes", "One OperationOutcome a line for what was refused", NDJSON, None)
            | {"parameters": [_paging("after", 999_999_999_999)]},
        },
    }


def _open(operation: str, summary: str, media_type: str, *refusals: str) -> Json:
    answered = {"200": {"description": summary, "content": {media_type: {"schema": {"type": "object"}}}}}
    return {"operationId": operation, "summary": summary, "security": [], "responses": answered | _refusals(refusals)}


def _read(operation: str, summary: str, media_type: str, schema: str | None) -> Json:
    content: Json = {media_type: {"schema": _ref(schema) if schema else {"type": "string"}}}
    answers: Json = {"200": {"description": summary, "content": content}}
    if operation in ("readResource", "readVersion"):
        answers["304"] = {"description": "The version is that of If-None-Match"}
    if operation == "readImport":
        answers["202"] = {"description": "Still at work; X-Progress says how far"}
    return {"operationId": operation, "summary": summary, "responses": answers | _refusals(_READING)}


def _write(operation: str, summary: str, schema: str, successes: tuple[str, ...]) -> Json:
    answers: Json = {
        status: {"description": "Taken", "content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}
        for status in successes
    }
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": _ref(schema)}}},
        "responses": answers | _refusals(_WRITING),
    }


def _start_import() -> Json:
    content = {media_type: {"schema": _ref("ImportManifest")} for media_type in ("application/json", MEDIA_TYPE)}
    return {
        "operationId": "startImport",
        "summary": "Import NDJSON files of the exchange folder",
        "parameters": [_header("Prefer", "respond-async", required=True)],
        "requestBody": {"required": True, "content": content},
        "responses": {"202": {"description": "Begun; Content-Location is its status"}} | _refusals(_WRITING),
    }


def _refusals(statuses: tuple[str, ...]) -> Json:
    content = {MEDIA_TYPE: {"schema": _ref("OperationOutcome")}}
    return {status: {"description": _REFUSALS[status], "content": content} for status in statuses}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _type_parameter() -> Json:
    return {"name": "type", "in": "path", "required": True, "schema": {"type": "string", "enum": list(TAKEN)}}


def _id_parameter() -> Json:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
    }


def _version_parameter() -> Json:
    number: Json = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
    return {"name": "version", "in": "path", "required": True, "schema": number}


def _paging(name: str, maximum: int) -> Json:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": maximum}}


def _job_parameter() -> Json:
    return {"name": "job", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _page_parameter() -> Json:
    return {
        "name": "page",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "maximum": 2_000_000},
    }


def _header(name: str, example: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}, "example": example}


def _query(name: str, example: str) -> Json:
    return {"name": name, "in": "query", "required": True, "schema": {"type": "string"}, "example": example}


def _schemas() -> Json:
    resource: Json = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"type": "string", "enum": list(TAKEN)},
            "id": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
            "meta": {"type": "object", "properties": {"source": {"type": "string", "maxLength": 64}}},
        },
    }
    return {
        "Resource": resource,
        "Bundle": _bundle_schema(),
        "History": _history_schema(),
        "OperationOutcome": _outcome_schema(),
        "ImportManifest": _manifest_schema(),
        "ImportStatus": {"type": "object"},
    }


def _bundle_schema() -> Json:
    request: Json = {
        "type": "object",
        "required": ["method", "url"],
        "properties": {"method": {"enum": ["PUT", "POST"]}, "url": {"type": "string"}},
    }
    entry: Json = {
        "type": "object",
        "required": ["resource", "request"],
        "properties": {"fullUrl": {"type": "string"}, "resource": _ref("Resource"), "request": request},
    }
    return {
        "type": "object",
        "required": ["resourceType", "type", "entry"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"enum": ["transaction", "batch"]},
            "identifier": {"type": "object", "properties": {"value": {"type": "string", "maxLength": 200}}},
            "meta": {"type": "object", "properties": {"source": {"type": "string", "maxLength": 64}}},
            "entry": {"type": "array", "minItems": 1, "maxItems": 1000, "items": entry},
        },
    }


def _history_schema() -> Json:
    entry: Json = {
        "type": "object",
        "required": ["request", "response"],
        "properties": {"resource": _ref("Resource"), "request": {"type": "object"}, "response": {"type": "object"}},
    }
    return {
        "type": "object",
        "required": ["resourceType", "type", "total", "entry"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"const": "history"},
            "total": {"type": "integer", "minimum": 1},
            "entry": {"type": "array", "items": entry},
        },
    }


def _outcome_schema() -> Json:
    issue: Json = {
        "type": "object",
        "required": ["severity", "code"],
        "properties": {
            "severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": {"type": "string"},
            "diagnostics": {"type": "string"},
            "expression": {"type": "array", "items": {"type": "string"}},
        },
    }
    return {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "items": issue}},
    }


def _manifest_schema() -> Json:
    each: Json = {
        "type": "object",
        "required": ["type", "url"],
        "properties": {"type": {"type": "string", "enum": list(TAKEN)}, "url": {"type": "string", "maxLength": 150}},
    }
    return {
        "type": "object",
        "required": ["inputFormat", "input"],
        "properties": {
            "inputFormat": {"const": NDJSON},
            "inputSource": {"type": "string", "maxLength": 64},
            "input": {"type": "array", "minItems": 1, "maxItems": 100, "items": each},
        },
    }


def main() -> int:
    """Writes the published file, or says that it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    content = json.dumps(openapi_document(), indent=2) + "\n"
    if not given.check:
        given.file.parent.mkdir(parents=True, exist_ok=True)
        given.file.write_text(content, encoding="utf-8")
        return 0
    if given.file.is_file() and given.file.read_text(encoding="utf-8") == content:
        return 0
    sys.stderr.write(f"{given.file} is out of date: run python -m intake.adapters.fhir.openapi {given.file}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
