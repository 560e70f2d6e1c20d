"""No real credential is in the repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[3]

# What guesses from entropy or from names of variables: tests are full of made-up secrets.
GUESSING = {"Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector"}


@pytest.fixture(autouse=True)
def _detectors() -> Iterator[None]:
    known: dict[str, type] = get_mapping_from_secret_type_to_class()
    names = sorted({detector.__name__ for detector in known.values()} - GUESSING)
    with transient_settings({"plugins_used": [{"name": name} for name in names]}):
        yield


def found_in(*files: Path) -> list[str]:
    secrets = SecretsCollection()
    for file in files:
        secrets.scan_file(str(file))
    return [f"{file}:{secret.line_number} {secret.type}" for file, secret in secrets]


def test_no_tracked_file_holds_a_credential() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]

    assert len(files) > 100
    assert found_in(*files) == []


@pytest.mark.parametrize(
    "credential",
    [
        "STRIPE_SECRET_KEY=sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "AWS=AKIA" + "IOSFODNN7ABCDEFG",
    ],
)
def test_a_credential_would_be_found(tmp_path: Path, credential: str) -> None:
    file = tmp_path / "settings.env"
    file.write_text(credential + "\n")

    assert len(found_in(file)) == 1
