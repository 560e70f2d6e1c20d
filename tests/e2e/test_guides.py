"""Every command of the guides is run against the sandbox, unless it is marked (account)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.addresses import url
from sandbox.demo.processes import inherited
from sandbox.demo.start import processor_environment
from tests.e2e.conftest import World, free_ports
from tests.e2e.guides import DOCS, blocks, files, own_shop, signed_cart
from tests.patience import PATIENCE_S

GUIDES = [DOCS / name for name in ("integration.md", "migration.md", "operations/README.md")]

RUN, DATA = {"sh"}, {"json", "mermaid", "yaml"}
NOT_RUN = {"account", "example"}
"""What a shell block may be called: it needs an account, or a test of its own runs it."""


def bash(script: str, world: World, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script, with what the sandbox is configured with, as its reader would run it."""
    at = world.at
    environment = {
        **inherited(),
        **processor_environment(at),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PROCESSOR": url(at.processor),
        "CT": url(at.commercetools),
        "STRIPE": url(at.stripe),
    }
    return subprocess.run(  # noqa: S603
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def expected(document: str) -> str:
    """A documented answer as `field`, or the processor, prints it."""
    value = json.loads(document)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.parent.name + "/" + guide.name)
def test_every_block_is_run_or_says_why_not(guide: Path) -> None:
    for block in blocks(guide):
        if block.language in RUN:
            assert block.name in {"", *NOT_RUN}, block.text
        else:
            assert block.language in DATA or "." in block.name, block.text


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.parent.name + "/" + guide.name)
def test_every_command_works_and_answers_as_documented(
    guide: Path, world: World, tmp_path: Path
) -> None:
    told = [b for b in blocks(guide) if b.language == "json" or (b.language == "sh" and not b.name)]
    script = []
    for number, block in enumerate(told):
        if block.language == "sh":
            script.append(f"printf '\\n--- {number}\\n'\n{block.text}")
    ended = bash("\n".join(script), world, tmp_path)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    printed = dict(re.findall(r"^--- (\d+)\n(.*?)(?=^--- |\Z)", ended.stdout, re.S | re.M))
    for number, block in enumerate(told):
        if block.language == "json":
            last = printed[str(number - 1)].rstrip()
            assert last.endswith(expected(block.text)), last


@pytest.mark.parametrize(
    ("guide", "name"), [(guide, name) for guide in GUIDES for name in files(guide)]
)
def test_every_file_is_valid(guide: Path, name: str, tmp_path: Path) -> None:
    text = files(guide)[name]
    if name.endswith(".html"):
        [text] = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
        name = "page.mjs"
    (tmp_path / name).write_text(text)
    node = shutil.which("node")
    assert node is not None
    subprocess.run([node, "--check", name], cwd=tmp_path, check=True)  # noqa: S603


def test_the_guides_shop_places_an_order_only_once_and_only_when_paid(
    shared: World, tmp_path: Path
) -> None:
    people = shared.people
    cart = people.cart("DE", "EUR", stoneware_mug_1=1)
    (port,) = free_ports(1)
    with own_shop(shared.at, port, tmp_path) as address:
        shopper = {"cookie": f"cart={signed_cart(cart['id'])}"}
        assert shared.client.get(address).status_code == 404
        page = shared.client.get(address, headers=shopper).text
        found = re.search(r"sessionId: '([\w-]+)'", page)
        assert found is not None
        assert url(shared.at.processor) in page
        assert shared.client.post(f"{address}/order", headers=shopper).status_code == 402

        session = {"x-session-id": found[1]}
        started = people.ask("POST", "/payments", session)
        assert started["merchantReturnUrl"] == f"{address}/"
        intent = people.pay(started["clientSecret"], "pm_card_visa")
        path = f"/confirmPayments/{started['paymentReference']}"
        people.ask("POST", path, session, {"paymentIntent": intent["id"]})

        placed = [shared.client.post(f"{address}/order", headers=shopper).json() for _ in range(2)]
        assert placed[0] == placed[1]
        order = people.commercetools("GET", f"orders/{placed[0]['id']}")
        assert order["cart"]["id"] == cart["id"]
