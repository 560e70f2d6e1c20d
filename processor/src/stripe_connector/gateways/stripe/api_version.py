"""The one version of Stripe's API that the connector uses."""

from __future__ import annotations

API_VERSION = "2026-10-28.endive"
"""Sent on every call and set on the webhook endpoint. Equal to the SDK's
version: it changes only together with the SDK."""
