"""What the guides print: their blocks of code, whole files, and the shop that these make."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.addresses import Addresses, url
from sandbox.demo.processes import inherited

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^```(\w+)(?: ([\w.]+))?\n(.*?)^```", re.DOTALL | re.MULTILINE)

COOKIE_SECRET = "signs the cookies of the guide's shop"


@dataclass(frozen=True)
class Block:
    language: str
    name: str
    text: str


def blocks(guide: Path) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(guide.read_text())]


def files(guide: Path) -> dict[str, str]:
    """Whole files that a guide prints, by name."""
    return {each.name: each.text for each in blocks(guide) if "." in each.name}


def signed_cart(cart_id: str) -> str:
    """The cookie by which that shop knows a cart."""
    signature = hmac.new(COOKIE_SECRET.encode(), cart_id.encode(), hashlib.sha256)
    return f"{cart_id}.{signature.hexdigest()}"


@contextmanager
def own_shop(at: Addresses, port: int, folder: Path) -> Iterator[str]:
    """The integration guide's shop, in a folder that has the enabler: its address."""
    for name, text in files(DOCS / "integration.md").items():
        (folder / name).write_text(text)
    address, backend = f"http://localhost:{port}", url(at.commercetools)
    environment = {
        **inherited(),
        "PATH": os.environ["PATH"],
        "SHOP_URL": address,
        "PROCESSOR": url(at.processor),
        "CTP_PROJECT_KEY": "sandbox",
        "CTP_API_URL": backend,
        "CTP_AUTH_URL": backend,
        "CTP_SESSION_URL": backend,
        "CTP_CLIENT_ID": "sandbox-admin",
        "CTP_CLIENT_SECRET": "sandbox-admin-secret",
        "COOKIE_SECRET": COOKIE_SECRET,
    }
    with subprocess.Popen(
        ["node", "server.mjs"],  # noqa: S607
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == f"{address}\n"
            yield address
        finally:
            server.terminate()
