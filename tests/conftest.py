"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is slow, which proves nothing.
settings.register_profile("untimed", deadline=None, print_blob=True)
settings.load_profile("untimed")
