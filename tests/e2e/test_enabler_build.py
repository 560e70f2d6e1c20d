"""The enabler is built with its dependencies alone, as `make demo` and Connect install them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import free_ports

ENABLER = Path(__file__).parents[2] / "enabler"
MODULES = ENABLER / "node_modules"


@pytest.fixture
def pruned(tmp_path: Path) -> Path:
    """The enabler's folder after `npm prune --omit=dev`: what only testing needs is not there."""
    ignore = shutil.ignore_patterns("node_modules", "public", "tests")
    enabler = Path(shutil.copytree(ENABLER, tmp_path / "enabler", ignore=ignore))
    locked = json.loads((ENABLER / "package-lock.json").read_text())["packages"]
    for name, package in locked.items():
        needed = name.count("node_modules/") == 1 and not package.get("dev")
        if needed and (ENABLER / name).exists():
            (enabler / name).parent.mkdir(parents=True, exist_ok=True)
            (enabler / name).symlink_to(ENABLER / name)
    commands = enabler / "node_modules/.bin"
    commands.mkdir()
    for command in ("vite", "tsc"):
        (commands / command).symlink_to((MODULES / ".bin" / command).resolve())
    return enabler


def served(folder: Path, port: int, path: str) -> httpx.Response:
    """What `npm start` answers."""
    process = subprocess.Popen(
        ["npm", "start", "--silent"],  # noqa: S607
        cwd=folder,
        env={**os.environ, "PORT": str(port)},
        start_new_session=True,
    )
    transport = httpx.HTTPTransport(retries=10)
    try:
        with httpx.Client(transport=transport, trust_env=False) as client:
            return client.get(f"http://127.0.0.1:{port}{path}", timeout=120)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)


def test_it_is_built_pruned_and_served_without_what_only_testing_needs(pruned: Path) -> None:
    assert not (pruned / "node_modules/vitest").exists()
    done = subprocess.run(
        ["npm", "run", "--silent", "build"],  # noqa: S607
        cwd=pruned,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (pruned / "public/connector-enabler.es.js").exists()
    assert (pruned / "public/types/index.d.ts").exists()
    shutil.rmtree(pruned / "node_modules")  # `npm prune` leaves nothing that serving needs
    (port,) = free_ports(1)
    answer = served(pruned, port, "/connector-enabler.umd.js")
    assert answer.content == (pruned / "public/connector-enabler.umd.js").read_bytes()
    assert answer.headers["access-control-allow-origin"] == "*"


USES_IT = """
import { ConnectorError, Enabler, type PaymentComponent, type PaymentResult } from
  'stripe-connector-enabler';

export async function pay(place: HTMLElement): Promise<PaymentComponent> {
  const onComplete = (result: PaymentResult) => console.log(result.isSuccess, result.method.type);
  const enabler = new Enabler({ processorUrl: 'https://p.example', sessionId: '1', onComplete });
  const component = (await enabler.createComponentBuilder('card')).build();
  await component.mount(place);
  return component;
}

// @ts-expect-error: there are types, and they refuse this.
new Enabler({ processorUrl: 1 });
export const hint = (error: ConnectorError): string | undefined => error.hint;
"""


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_package_brings_library_and_types_to_an_empty_project(tmp_path: Path) -> None:
    packed = run(ENABLER, "npm", "pack", "--silent", "--pack-destination", str(tmp_path)).strip()
    package = tmp_path / "node_modules/stripe-connector-enabler"
    package.mkdir(parents=True)
    # Unpacked by hand: installing would ask a registry for what building needs.
    run(tmp_path, "tar", "xzf", packed, "-C", str(package), "--strip-components=1")
    assert not (package / "src").exists()
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "uses.ts").write_text(USES_IT)
    tsc = str(MODULES / ".bin/tsc")
    options = "--strict --noEmit --module esnext --moduleResolution bundler --lib es2023,dom"
    run(tmp_path, tsc, *options.split(), "uses.ts")
    (tmp_path / "loads.mjs").write_text(
        "import { Enabler } from 'stripe-connector-enabler';\n"
        "try { new Enabler({}); } catch ({ code }) { console.log(code); }\n"
    )
    assert run(tmp_path, "node", "loads.mjs").strip() == "processor_required"
