"""Version 0.1.0 of the processor, as it was released, in a world of today's stand-ins.

The recorded sources were packed by `scripts/record_version.py`.
"""

from __future__ import annotations

import atexit
import importlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import httpx
from starlette.types import ASGIApp

from stripe_connector.clock import Clock
from tests.world import Processor, World

PACKAGE = "stripe_connector_0_1_0"
RECORDED = Path(__file__).parent / "recorded" / f"{PACKAGE}.zip"


def start_previous(world: World) -> Processor:
    """An instance of version 0.1.0 beside today's."""
    return world.start_processor(create_previous)


def world_of_previous(environment: Mapping[str, str] | None = None) -> World:
    """A world whose processor is of version 0.1.0."""
    world = World(environment)
    world.processor = start_previous(world)
    return world


def create_previous(
    environment: Mapping[str, str], http: httpx.AsyncClient, clock: Clock
) -> ASGIApp:
    """The application of version 0.1.0, configured as it was then."""
    settings = previous("settings").load_settings(environment)
    app: ASGIApp = previous("app").create_app(settings, http=http, clock=clock)
    return app


def previous(module: str) -> ModuleType:
    """A module of version 0.1.0."""
    _unpack()
    return importlib.import_module(f"{PACKAGE}.{module}")


@cache
def _unpack() -> None:
    """Pages are read from files, so the package is unpacked for as long as the process lives."""
    folder = tempfile.mkdtemp(prefix=PACKAGE)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(RECORDED) as recorded:
        recorded.extractall(folder)
    sys.path.append(folder)
