"""docs/hosting.md names settings, options and routes that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from stripe_connector.deploy.command import post_deploy, pre_undeploy
from stripe_connector.health import REQUIRED_SCOPES
from stripe_connector.settings import load_settings, variables
from tests.unit.repository.test_connect import REQUIRED

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/hosting.md").read_text()


def test_every_setting_is_declared() -> None:
    named = set(re.findall(r"\b(?:[A-Z]+_)+[A-Z]+\b", PAGE))
    assert named
    proxy = yaml.safe_load((ROOT / "connect-proxy/connect.yaml").read_text())
    configured = [
        each for app in proxy["deployAs"] for each in app.get("configuration", {}).values()
    ]
    proxys = {entry["key"] for entries in configured for entry in entries}
    others = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}  # not used, and told
    assert named <= {each.name for each in variables()} | proxys | others


def test_every_option_of_the_scripts_exists() -> None:
    options = {o for c in (post_deploy, pre_undeploy) for p in c.params for o in p.opts}
    told = set(re.findall(r"`(?:[\w -]*(?:deploy|undeploy) )?(--[a-z-]+)`", PAGE))
    assert told <= options
    assert options - {"--dry-run"} <= told


def test_the_scopes_are_those_that_are_needed() -> None:
    named = set(re.findall(r"`((?:manage|view|introspect)_[a-z_]+)`", PAGE))
    assert named == {*REQUIRED_SCOPES, "view_products", "view_discount_codes"}


@pytest.mark.parametrize("stop", [r"TimeoutStopSec=(\d+)", r"terminationGracePeriodSeconds: (\d+)"])
def test_a_platform_waits_longer_than_the_processor(stop: str) -> None:
    found = re.search(stop, PAGE)
    assert found is not None
    settings = load_settings(REQUIRED)
    assert int(found[1]) > settings.shutdown_drain_s + settings.shutdown_grace_s


def test_the_number_of_required_settings_is_right() -> None:
    numbers = {7: "seven", 8: "eight", 9: "nine"}
    required = sum(each.required for each in variables())
    assert f"{numbers[required]} of them are required" in PAGE
