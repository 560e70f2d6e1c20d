"""A processor that holds too much memory: `python -m soak.watched.ballast serve`."""

from __future__ import annotations

import runpy

_BYTES = 420_000_000

if __name__ == "__main__":
    held = b"\x01" * _BYTES
    runpy.run_module("stripe_connector", run_name="__main__", alter_sys=True)
