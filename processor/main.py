"""Where a buildpack finds and starts the connector: it installs requirements, but not `src`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from stripe_connector.__main__ import main

if __name__ == "__main__":
    main()
