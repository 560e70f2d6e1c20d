"""What commercetools Connect accepts as connect.yaml: its published specification as rules.

Connect has no schema to download; these are the rules of its specification package, in which
unknown keys are errors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]

RESERVED = {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}
_WITH_ENDPOINT = ("service", "event", "job")
_MERCHANT_CENTER = ("merchant-center-custom-application", "mc-app", "merchant-center-custom-view")
_TYPES = [*_WITH_ENDPOINT, "assets", *_MERCHANT_CENTER, "unknown"]


def _text(pattern: str = "", least: int = 1) -> Json:
    return {"type": "string", "minLength": least, **({"pattern": pattern} if pattern else {})}


def _hash(required: tuple[str, ...] = (), /, **fields: Json) -> Json:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Json, least: int = 0) -> Json:
    return {"type": "array", "items": item, "minItems": least}


def _whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


_PATH = _text(r"\A/(?!/)(?!.*//)[a-zA-Z0-9_\-/]{0,255}\Z")
_SECURED = {
    "key": _text(r"\A[a-zA-Z0-9_]{2,256}\Z"),
    "description": _text(),
    "required": {"type": "boolean"},
}
_CONFIGURATION = _hash(
    standardConfiguration=_list(_hash(("key", "description"), **_SECURED, default=_text())),
    securedConfiguration=_list(_hash(("key", "description"), **_SECURED)),
)
_APPLICATION = _hash(
    ("name", "applicationType"),
    name=_text(r"\A[a-zA-Z0-9_-]{2,256}\Z"),
    applicationType={"enum": _TYPES},
    endpoint=_PATH,
    healthCheck=_hash(
        ("path",),
        path=_PATH,
        intervalSeconds=_whole(1, 20),
        timeoutSeconds=_whole(1, 20),
        unhealthyThreshold=_whole(1, 20),
    ),
    retryPolicy={"type": "object"},
    properties=_hash(("schedule",), schedule=_text()),
    scripts=_hash(postDeploy=_text(), preUndeploy=_text()),
    configuration=_CONFIGURATION,
)
SCHEMA = _hash(
    ("deployAs",),
    deployAs=_list(_APPLICATION, 1),
    inheritAs=_hash(
        configuration=_CONFIGURATION,
        apiClient=_hash(("scopes",), scopes=_list(_text(), 1)),
    ),
)

FROM_API_CLIENT = {
    "CTP_CLIENT_ID",
    "CTP_CLIENT_SECRET",
    "CTP_SCOPE",
    "CTP_PROJECT_KEY",
    "CTP_API_URL",
    "CTP_AUTH_URL",
}
"""Set by the platform where it makes the API client; not to be declared as well."""


def problems(document: Json) -> list[str]:
    """Everything for which Connect would refuse a specification."""
    found = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(document)
    ]
    return found or list(_beyond_the_schema(document))


def _beyond_the_schema(document: Json) -> Iterator[str]:
    applications = document["deployAs"]
    inherited = document.get("inheritAs", {})
    yield from _repeated("application", [each["name"] for each in applications])
    shared = list(_keys(inherited.get("configuration", {})))
    platform = FROM_API_CLIENT if "apiClient" in inherited else set()
    for application in applications:
        yield from _of_its_type(application)
        keys = [*shared, *_keys(application.get("configuration", {}))]
        yield from _repeated("key", keys)
        yield from (f"{key} is reserved" for key in keys if key.upper() in RESERVED)
        yield from (f"{key} is set by the platform" for key in keys if key in platform)


def _of_its_type(application: Json) -> Iterator[str]:
    name, type_ = application["name"], application["applicationType"]
    if (type_ in _WITH_ENDPOINT) != ("endpoint" in application):
        yield f"{name}: an endpoint is for {', '.join(_WITH_ENDPOINT)}, which need one"
    if (type_ == "job") != ("properties" in application):
        yield f"{name}: a schedule is for jobs, which need one"
    if "healthCheck" in application and type_ not in ("service", "event"):
        yield f"{name}: healthCheck is for services and events"
    if "retryPolicy" in application and type_ != "event":
        yield f"{name}: retryPolicy is for events"
    if type_ == "assets" and application.keys() - {"name", "applicationType"}:
        yield f"{name}: assets have a name and a type, and nothing else"
    if type_ in _MERCHANT_CENTER and application.get("configuration", {}).get(
        "securedConfiguration"
    ):
        yield f"{name}: secured configuration is not for the Merchant Center"


def _keys(configuration: Json) -> Iterator[str]:
    for each in ("standardConfiguration", "securedConfiguration"):
        yield from (entry["key"] for entry in configuration.get(each, []))


def _repeated(kind: str, names: list[str]) -> Iterator[str]:
    return (f"{kind} {name} is there twice" for name, n in Counter(names).items() if n > 1)
