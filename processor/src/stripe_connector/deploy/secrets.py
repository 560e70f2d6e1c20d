"""Hands over a new signing secret: on a terminal or in a private file, nowhere else."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TextIO


class SecretFileError(Exception):
    """The file for the secret cannot be written; nothing has been created yet."""


def _is_regular(file: Path) -> bool:
    """Not a device such as /dev/stdout, a pipe, or a link that leads elsewhere."""
    return stat.S_ISREG(file.lstat().st_mode)


class SecretDesk:
    """Hands a secret over.

    `file` is opened beforehand: Stripe shows a secret once, so a wrong path must not lose it.
    """

    def __init__(self, stream: TextIO, file: Path | None = None) -> None:
        self._stream = stream
        self._file = file
        self._draft: str | None = None

    def open(self) -> None:
        """Make sure that the file can be written; raises SecretFileError."""
        if self._file is None:
            return
        if os.path.lexists(self._file) and not _is_regular(self._file):
            raise SecretFileError(f"{self._file} is not a regular file")
        try:
            # Readable by its owner only, from creation on.
            handle, self._draft = tempfile.mkstemp(dir=self._file.parent, prefix=".secret-")
        except OSError as error:
            raise SecretFileError(f"{self._file} cannot be written: {error.strerror}") from error
        os.close(handle)

    def hand_over(self, name: str, secret: str) -> str | None:
        """Hand the secret over; returns where it went, or None where nothing took it."""
        if self._file is not None and self._draft is not None:
            try:
                Path(self._draft).write_text(f"{secret}\n", encoding="utf-8")
                Path(self._draft).replace(self._file)
            except OSError:
                return None  # the Dashboard still shows the secret
            self._draft = None
            return f"in {self._file}"
        if self._stream.isatty():
            self._stream.write(f"Signing secret of {name}: {secret}\n")
            self._stream.flush()
            return "above"
        return None

    def close(self) -> None:
        """Delete the file where there was no secret to write."""
        if self._draft is not None:
            Path(self._draft).unlink(missing_ok=True)
            self._draft = None
