"""The interface describes itself: /openapi.json for programs, /docs for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from tests.contract.prepared import EVERYTHING
from tests.world import LIVE, ORIGIN, World

Json = dict[str, Any]
METHODS = {"get", "post", "put", "delete"}


async def description(environment: dict[str, str] | None = None) -> Json:
    answer = await World(environment or dict(EVERYTHING)).client.get("/openapi.json")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield method, path, item[method]


def references(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for each in value.values():
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)


def resolved(document: Json, reference: str) -> object:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


async def test_the_description_is_valid_openapi() -> None:
    document = await description()
    problems = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(OPENAPI_31).iter_errors(document)
    ]
    assert problems == []
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in references(document):
        assert isinstance(resolved(document, reference), dict), reference


async def test_operations_have_names_of_their_own_and_name_what_their_path_takes() -> None:
    document = await description()
    names = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert [name for name, count in names.items() if count > 1] == []
    for _, path, operation in operations(document):
        places = {each["name"]: each for each in operation["parameters"] if each["in"] == "path"}
        assert set(places) == set(re.findall(r"\{(\w+)\}", path))
        assert all(each["required"] for each in places.values())


async def test_no_schema_shows_how_it_is_made() -> None:
    names = (await description())["components"]["schemas"]
    assert [name for name in names if not re.fullmatch("[A-Z][A-Za-z]+", name)] == []


async def test_the_description_says_who_may_call_what() -> None:
    document = await description()
    paths = document["paths"]
    assert paths["/payments"]["post"]["security"] == [{"session": []}]
    assert paths["/operations/payment-intents/{id}"]["post"]["security"] == [
        {"oauth2": ["manage_project"]},
        {"oauth2": ["manage_checkout_payment_intents"]},
    ]
    assert paths["/operations/status"]["get"]["security"] == [{"jwt": []}]
    assert paths["/stripe/webhooks"]["post"]["security"] == [{"stripe": []}]
    assert paths["/express-config"]["post"]["security"] == [{"origin": []}]
    assert paths["/metrics"]["get"]["security"] == [{"metrics": []}]
    assert paths["/operations/proxy"]["get"]["security"] == [{"proxy": []}]
    assert paths["/api/v1/carts"]["post"]["security"] == []
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == {"session", "oauth2", "jwt", "stripe", "origin", "metrics", "proxy"}
    flow = schemes["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "http://commercetools.test/oauth/token"
    assert "manage_checkout_transactions" in flow["scopes"]


async def test_refusals_are_those_of_the_kind_of_endpoint() -> None:
    paths = (await description())["paths"]
    expected = {
        ("get", "/operations/config"): {200, 401, 404, 429, 502, 503, 504},
        ("post", "/operations/payment-intents/{id}"): {
            *(200, 400, 401, 402, 403, 404, 409, 413, 415),
            *(429, 502, 503, 504),
        },
        ("get", "/api/v1/carts/{id}"): {200, 404, 429, 502, 503, 504},
        ("get", "/health/live"): {200},
        ("get", "/health/ready"): {200, 503},
        ("get", "/config"): {200, 503, 504},
    }
    for (method, path), statuses in expected.items():
        assert {int(status) for status in paths[path][method]["responses"]} == statuses, path


async def test_errors_are_described_in_the_shape_of_their_callers() -> None:
    document = await description()

    def shape(path: str, method: str, status: str) -> str:
        found = document["paths"][path][method]["responses"][status]
        answer: Any = resolved(document, found["$ref"]) if "$ref" in found else found
        return str(answer["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]

    assert shape("/payments", "post", "401") == "Error"
    assert shape("/api/v1/carts", "post", "400") == "StorefrontError"
    assert shape("/v1/create-session", "post", "400") == "BuyNowError"


async def test_only_what_is_served_is_described() -> None:
    described = (await description({"ALLOWED_ORIGINS": ORIGIN}))["paths"]
    assert "/payments" in described
    assert "/openapi.json" in described
    assert not {"/metrics", "/config", "/webhook"} & described.keys()


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_where_real_money_moves_there_is_no_description(path: str) -> None:
    world = World(LIVE)
    assert (await world.client.get(path)).status_code == 404
    assert (await world.client.get("/health/live")).status_code == 200


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_the_description_needs_no_backend_and_gives_nothing_away(path: str) -> None:
    world = World(EVERYTHING)
    answers = [await world.client.get(path) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert world.network.calls == []
    for name, value in world.environment.items():
        if "SECRET" in name or "TOKEN" in name:
            assert value not in answers[0].text, name


class _Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids[value or ""] += 1
            if name in ("href", "src"):
                self.links.append(value or "")


async def test_the_page_shows_every_operation_and_schema_and_loads_nothing() -> None:
    document = await description()
    answer = await World(EVERYTHING).client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src")
    outline = _Outline()
    outline.feed(answer.text)
    assert [name for name, count in outline.ids.items() if count > 1] == []
    for _, path, operation in operations(document):
        assert operation["operationId"] in outline.ids, path
        assert operation["summary"] in unescape(answer.text)
    anchors = {link.removeprefix("#") for link in outline.links if link.startswith("#")}
    assert anchors <= outline.ids.keys()
    assert {link for link in outline.links if not link.startswith("#")} == {"openapi.json"}
    assert not {"script", "link", "img", "iframe", "form"} & outline.tags.keys()
    assert (outline.tags["h1"], outline.tags["main"]) == (1, 1)
