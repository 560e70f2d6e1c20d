"""Turns the desk's templates into pages, with what every page shows."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from importlib.resources import files

import msgspec
from jinja2 import ChainableUndefined, Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from sandbox.desk import amounts
from sandbox.desk.sessions import Session, Sessions
from sandbox.desk.standing import happened


class Pages:
    """The templates, and the names that they may use."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._templates = Environment(
            loader=PackageLoader("sandbox.desk"),
            autoescape=True,
            # what commercetools and Stripe leave out is not there to be shown
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            entered=amounts.entered,
            happened=happened,
            money=amounts.shown,
            new_key=lambda: secrets.token_urlsafe(18),
            moment=moment,
            pretty=_pretty,
            version=_version(),
        )

    def render(
        self,
        request: Request,
        template: str,
        session: Session | None,
        status: int = 200,
        **context: object,
    ) -> HTMLResponse:
        """A page for the person who is signed in, or for no one."""
        html = self._templates.get_template(template).render(
            session=session,
            csrf="" if session is None else self._sessions.token(session.key),
            path=request.url.path.rstrip("/"),
            here=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
            **context,
        )
        return HTMLResponse(html, status)


class Moment(msgspec.Struct, frozen=True):
    """A time for machines and for people, both in UTC."""

    iso: str
    text: str


def moment(given: str | float) -> Moment:
    """Of an ISO timestamp or of Unix seconds."""
    at = (
        datetime.fromisoformat(given).astimezone(UTC)
        if isinstance(given, str)
        else datetime.fromtimestamp(given, UTC)
    )
    return Moment(at.isoformat(timespec="seconds"), f"{at.day} {at:%b %Y, %H:%M:%S}")


def _pretty(document: str) -> str:
    """JSON for reading; other text as it is."""
    try:
        return msgspec.json.format(document.encode()).decode()
    except msgspec.DecodeError:
        return document


def _version() -> str:
    """Changes with the static files of shop and desk, so that browsers may keep them for good."""
    digest = hashlib.sha256()
    for package in ("sandbox.shop", "sandbox.desk"):
        for each in sorted((files(package) / "static").iterdir(), key=lambda file: file.name):
            digest.update(each.read_bytes())
    return digest.hexdigest()[:12]
