"""connect.yaml is what Connect accepts, and agrees with the settings, folders and routes."""

from __future__ import annotations

import copy
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from stripe_connector.app import create_app
from stripe_connector.health import REQUIRED_SCOPES
from stripe_connector.settings import load_settings, variables
from tests.unit.repository.connect_rules import FROM_API_CLIENT, RESERVED, problems

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]

REQUIRED = {
    "CTP_PROJECT_KEY": "my-shop",
    "CTP_CLIENT_ID": "id",
    "CTP_CLIENT_SECRET": "secret",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "ALLOWED_ORIGINS": "https://shop.example",
    "MERCHANT_RETURN_URL": "https://shop.example/thanks",
}


@pytest.fixture
def document() -> Json:
    loaded: Json = yaml.safe_load((ROOT / "connect.yaml").read_text())
    return loaded


@pytest.fixture
def processor(document: Json) -> Json:
    [found] = [each for each in document["deployAs"] if each["name"] == "processor"]
    return dict(found)


def entries(processor: Json) -> dict[str, Json]:
    """Every configuration entry by its key, with the kind it is of."""
    return {
        entry["key"]: {**entry, "secured": kind == "securedConfiguration"}
        for kind, listed in processor["configuration"].items()
        for entry in listed
    }


def test_connect_accepts_it(document: Json) -> None:
    assert problems(document) == []


def _entry(document: Json, **changes: Any) -> None:
    document["deployAs"][1]["configuration"]["standardConfiguration"][0].update(changes)


BROKEN: dict[str, Callable[[Json], object]] = {
    "an unknown key": lambda d: d.update(version=1),
    "no application": lambda d: d["deployAs"].clear(),
    "an unknown key of an application": lambda d: d["deployAs"][1].update(port=8080),
    "a name that no folder can have": lambda d: d["deployAs"][1].update(name="a/b"),
    "two applications of one name": lambda d: d["deployAs"][0].update(name="processor"),
    "an unknown type": lambda d: d["deployAs"][1].update(applicationType="lambda"),
    "a service without an endpoint": lambda d: d["deployAs"][1].pop("endpoint"),
    "an endpoint with two slashes": lambda d: d["deployAs"][1].update(endpoint="/a//b"),
    "an endpoint without a slash": lambda d: d["deployAs"][1].update(endpoint="a"),
    "assets with an endpoint": lambda d: d["deployAs"][0].update(endpoint="/"),
    "assets with configuration": lambda d: d["deployAs"][0].update(configuration={}),
    "a health check without a path": lambda d: d["deployAs"][1]["healthCheck"].pop("path"),
    "a health check that is too rare": lambda d: d["deployAs"][1]["healthCheck"].update(
        intervalSeconds=60
    ),
    "a health check of a job": lambda d: d["deployAs"][1].update(
        applicationType="job", properties={"schedule": "* * * * *"}
    ),
    "a schedule of a service": lambda d: d["deployAs"][1].update(
        properties={"schedule": "* * * * *"}
    ),
    "an empty script": lambda d: d["deployAs"][1]["scripts"].update(postDeploy=""),
    "an empty default": lambda d: _entry(d, default=""),
    "a default that is no text": lambda d: _entry(d, default=1),
    "a key with a hyphen": lambda d: _entry(d, key="A-B"),
    "a reserved key": lambda d: _entry(d, key="port"),
    "a key of the platform's API client": lambda d: _entry(d, key="CTP_CLIENT_ID"),
    "a key that is there twice": lambda d: _entry(d, key="STRIPE_SECRET_KEY"),
    "an entry without a description": lambda d: _entry(d, description=""),
    "a secured entry with a default": lambda d: d["deployAs"][1]["configuration"][
        "securedConfiguration"
    ][0].update(default="x"),
    "a key that is inherited as well": lambda d: d["inheritAs"].update(
        configuration={
            "securedConfiguration": [{"key": "STRIPE_SECRET_KEY", "description": "Twice"}]
        }
    ),
    "no scopes": lambda d: d["inheritAs"]["apiClient"].update(scopes=[]),
}


@pytest.mark.parametrize("break_it", BROKEN.values(), ids=BROKEN.keys())
def test_connect_would_refuse(document: Json, break_it: Callable[[Json], object]) -> None:
    broken = copy.deepcopy(document)
    break_it(broken)
    assert problems(broken)


def test_it_is_generated_from_the_settings() -> None:
    script = runpy.run_path(str(ROOT / "scripts/generate_connect_yaml.py"))
    assert (ROOT / "connect.yaml").read_text() == script["render"]()


def test_every_setting_is_there_or_comes_from_the_platform(processor: Json) -> None:
    script = runpy.run_path(str(ROOT / "scripts/generate_connect_yaml.py"))
    from_platform = set(script["FROM_PLATFORM"])
    assert entries(processor).keys() | from_platform == {each.name for each in variables()}
    assert entries(processor).keys().isdisjoint(from_platform)
    others = {"PORT", "HOST", "CONNECT_SERVICE_URL"}
    assert from_platform - others <= FROM_API_CLIENT
    assert "PORT" in RESERVED


def test_each_agrees_with_its_setting(processor: Json) -> None:
    declared = {each.name: each for each in variables()}
    for key, entry in entries(processor).items():
        setting = declared[key]
        assert entry["secured"] == setting.secret
        assert entry["required"] == setting.required
        assert entry.get("default") == (None if setting.secret else setting.default)
        assert entry["description"] == setting.meaning


def test_what_is_required_is_enough_to_start(processor: Json) -> None:
    needed = {key for key, entry in entries(processor).items() if entry["required"]}
    assert needed <= REQUIRED.keys()
    assert REQUIRED.keys() - needed == {"CTP_PROJECT_KEY", "CTP_CLIENT_ID", "CTP_CLIENT_SECRET"}
    defaults = {key: e["default"] for key, e in entries(processor).items() if "default" in e}
    assert load_settings({**defaults, **REQUIRED}) == load_settings(REQUIRED)


def test_the_api_client_may_do_what_is_needed_and_no_more(document: Json) -> None:
    scopes = document["inheritAs"]["apiClient"]["scopes"]
    assert len(scopes) == len(set(scopes))
    assert set(scopes) == {*REQUIRED_SCOPES, "view_products", "view_discount_codes"}
    assert "manage_project" not in scopes


def test_every_application_is_a_folder_with_sources(document: Json) -> None:
    for application in document["deployAs"]:
        assert (ROOT / application["name"] / "src").is_dir()


async def test_the_health_check_is_a_route(processor: Json) -> None:
    app = create_app(load_settings(REQUIRED))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://processor"
    ) as client:
        answer = await client.get(processor["healthCheck"]["path"])
    assert answer.json() == {"status": "UP"}
