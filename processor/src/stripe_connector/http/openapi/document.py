"""From the table of endpoints to an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from stripe_connector import __version__
from stripe_connector.http import correlation
from stripe_connector.http.openapi import security
from stripe_connector.http.openapi.documentation import JSON, Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import PARAMETER_EXAMPLES
from stripe_connector.http.rate_limit import TOO_MANY
from stripe_connector.http.responses import Error
from stripe_connector.http.routing import AnyEndpoint

Json = dict[str, Any]
Schemas = Mapping[Any, Json]

_BODY_METHODS = frozenset({"POST", "PUT"})
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_RETRIED = frozenset({409, 429, 503, 504})
"""Statuses that say when to ask again, where it is known."""

_SHARED: Mapping[int, str] = {
    400: "The body is not JSON, or a field of it is missing or not valid.",
    401: "The credential is missing, expired or forged.",
    403: "The credential is valid, but for something else.",
    413: "The body is too large.",
    415: "The body is not called JSON (Content-Type: application/json).",
    429: TOO_MANY,
    502: "A backend refused the connector: a key, a scope or a setting is wrong.",
    503: "A backend does not answer, or there are too many requests at once.",
    504: "It took too long; the effect may or may not have happened.",
}
"""Refusals that do not depend on the endpoint; one that says more has a reason of its own."""

_DESCRIPTION = """\
Starts, confirms and changes payments at Stripe for carts and orders of commercetools.

Every answer carries an X-Correlation-ID. A 2xx means done, a 4xx is for the caller to fix; after a
502, 503 or 504 the same request may be sent again. Where GET is served, HEAD is; any other method
is answered with 405, and a path that is not listed with 404, both in the shape of Error.
"""


def document(endpoints: Iterable[AnyEndpoint], *, token_url: str) -> Json:
    """The description of `endpoints`; `token_url` issues tokens to API clients.

    Raises ValueError where an endpoint has no documentation, or no example of what it takes.
    """
    table = list(endpoints)
    schemas, components = _schemas(table)
    paths: dict[str, Json] = {}
    for endpoint in table:
        item = paths.setdefault(
            endpoint.path, {"parameters": [{"$ref": "#/components/parameters/CorrelationId"}]}
        )
        for method in endpoint.methods:
            item[method.lower()] = _operation(endpoint, method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stripe connector for commercetools",
            "version": __version__,
            "description": _DESCRIPTION,
        },
        "servers": [{"url": "./", "description": "Where this document was found."}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_documented(e).tag for e in table)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "parameters": {"CorrelationId": _CORRELATION},
            "responses": _shared(table, schemas),
            "headers": _HEADERS,
            "securitySchemes": security.definitions([e.auth for e in table], token_url),
        },
    }


_CORRELATION: Json = {
    "name": correlation.HEADER,
    "in": "header",
    "description": "Names the request in logs, here and at the backends; made up unless given.",
    "schema": {"type": "string"},
}
_HEADERS: Json = {
    "CorrelationId": {
        "description": "The name of the request in logs.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds after which asking again makes sense.",
        "schema": {"type": "integer", "minimum": 0},
    },
}


def _documented(endpoint: AnyEndpoint) -> Documentation:
    if endpoint.operation is None:
        raise ValueError(f"{endpoint.path} has no documentation")
    return endpoint.operation


def _schemas(table: Iterable[AnyEndpoint]) -> tuple[Schemas, Mapping[str, Json]]:
    """The schema of every type that is mentioned, and those that have a name."""
    types = list(dict.fromkeys(each for endpoint in table for each in _types(endpoint)))
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    return dict(zip(types, schemas, strict=True)), components


def _types(endpoint: AnyEndpoint) -> Iterator[Any]:
    operation = _documented(endpoint)
    yield endpoint.errors.type
    yield str
    yield from (parameter.type for parameter in operation.parameters)
    yield from (answer.type for answer in operation.answers.values() if answer.type is not None)
    if operation.body is not None:
        yield operation.body


def _operation(endpoint: AnyEndpoint, method: str, schemas: Schemas) -> Json:
    operation = _documented(endpoint)
    described: Json = {
        "operationId": re.sub(r"\W", "_", method.lower() + endpoint.path),
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": security.requirement(endpoint.auth),
        "parameters": [_parameter(each, schemas) for each in _parameters(endpoint.path, operation)],
        "responses": _responses(endpoint, method, schemas),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None and method in _BODY_METHODS:
        if operation.example is None:
            raise ValueError(f"{endpoint.path} has no example of its body")
        described["requestBody"] = {
            "required": not _may_be_empty(operation.body),
            "content": {JSON: {"schema": schemas[operation.body], "example": operation.example}},
        }
    return described


def _may_be_empty(body: Any) -> bool:
    """Whether a request without a body, which counts as `{}`, is taken."""
    try:
        msgspec.convert({}, body)
    except msgspec.ValidationError:
        return False
    return True


def _parameters(path: str, operation: Documentation) -> Iterator[Parameter]:
    declared = {each.name: each for each in operation.parameters if each.place == "path"}
    for name in _PATH_PARAMETER.findall(path):
        yield declared.get(name) or Parameter(name, "path", "")
    yield from (each for each in operation.parameters if each.place != "path")


def _parameter(parameter: Parameter, schemas: Schemas) -> Json:
    if parameter.name not in PARAMETER_EXAMPLES:
        raise ValueError(f"The parameter {parameter.name} has no example")
    described: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "schema": schemas[parameter.type],
        "example": PARAMETER_EXAMPLES[parameter.name],
    }
    if parameter.description:
        described["description"] = parameter.description
    return described


def _responses(endpoint: AnyEndpoint, method: str, schemas: Schemas) -> Json:
    """What is answered by status; where an answer may be a refusal, too, either is allowed."""
    answers = _documented(endpoint).answers
    refusals = _refusals(endpoint, method)
    described: Json = {}
    for status in sorted({*answers, *refusals}):
        refusal = refusals.get(status)
        if status not in answers and refusal == _SHARED.get(status):
            name = _shared_name(endpoint.errors.type, status)
            described[str(status)] = {"$ref": f"#/components/responses/{name}"}
        else:
            error = schemas[endpoint.errors.type]
            described[str(status)] = _response(status, answers.get(status), refusal, error, schemas)
    return described


def _shared(table: Iterable[AnyEndpoint], schemas: Schemas) -> Json:
    """The refusals of many endpoints, in every shape that is in use."""
    types = dict.fromkeys(endpoint.errors.type for endpoint in table)
    return {
        _shared_name(type_, status): _response(status, None, reason, schemas[type_], schemas)
        for type_ in types
        for status, reason in _SHARED.items()
    }


def _shared_name(type_: type[Error], status: int) -> str:
    return f"{type_.__name__}{status}"


def _response(
    status: int, answer: Answer | None, refusal: str | None, error: Json, schemas: Schemas
) -> Json:
    headers: Json = {correlation.HEADER: {"$ref": "#/components/headers/CorrelationId"}}
    content: dict[str, list[Json]] = {}
    if answer is not None:
        headers |= {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in answer.headers.items()
        }
        if answer.media is not None:
            schema = {"type": "string"} if answer.type is None else schemas[answer.type]
            content[answer.media] = [schema]
    if refusal is not None:
        content.setdefault(JSON, []).append(error)
        if status in _RETRIED:
            headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    texts = [answer.description if answer else "", refusal or ""]
    response: Json = {"description": " ".join(filter(None, texts)), "headers": headers}
    if content:
        response["content"] = {
            media: {"schema": found[0] if len(found) == 1 else {"anyOf": found}}
            for media, found in content.items()
        }
    return response


def _refusals(endpoint: AnyEndpoint, method: str) -> dict[int, str]:
    """What every endpoint of its kind may answer, and what only this one does."""
    operation = _documented(endpoint)
    kind = security.kind(endpoint.auth)
    statuses = {*kind.refusals}
    if operation.body is not None and method in _BODY_METHODS:
        statuses |= {400, 413} if operation.any_media_type else {400, 413, 415}
    if operation.asks_backends or kind.asks_backends:
        statuses.add(502)
    if not endpoint.probe:
        statuses |= {503, 504}
    return {status: _SHARED[status] for status in statuses} | dict(operation.refusals)
