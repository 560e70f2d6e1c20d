"""What paying within the shop's own pages needs: the enabler's bundle, and where it calls."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

BUNDLE = "connector-enabler.es.js"
_PACKAGED = Path(__file__).parents[1] / "enabler"
_BUILT = Path(__file__).parents[2] / "enabler" / "public"
ENABLER = _PACKAGED if _PACKAGED.is_dir() else _BUILT
"""The enabler's bundle: in the sandbox's wheel, or where the repository builds it."""


class Elements(Struct, frozen=True):
    """The addresses of payment elements, as browsers reach them."""

    processor: str
    stripe: str
    """The origin of Stripe.js and of the frames that it opens."""
    enabler: Path = ENABLER
    """The folder of the enabler's bundle."""

    @property
    def bundle(self) -> str | None:
        """The path of the bundle, which changes with its content; None where it is not built."""
        try:
            content = (self.enabler / BUNDLE).read_bytes()
        except FileNotFoundError:
            return None
        return f"/enabler/{BUNDLE}?v={hashlib.sha256(content).hexdigest()[:12]}"

    def policy(self) -> dict[str, tuple[str, ...]]:
        """What a page with elements admits beside the shop itself, by directive."""
        parts = urlsplit(self.processor)
        processor = f"{parts.scheme}://{parts.netloc}"
        return {
            "script-src": (self.stripe,),
            "frame-src": (self.stripe,),
            "connect-src": (processor, self.stripe),
        }
