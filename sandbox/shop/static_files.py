"""Static files whose addresses name their version, so that browsers keep them for ever."""

from __future__ import annotations

import os

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

_FOR_EVER = "public, max-age=31536000, immutable"


class VersionedFiles(StaticFiles):
    """A folder of files that never change under their address."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = _FOR_EVER
        return response


class Scripts(VersionedFiles):
    """The scripts of a folder, and nothing else that is in it or below."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if os.sep in path or not path.endswith(".js"):
            return "", None
        return super().lookup_path(path)
