"""`python -m syncd`, and the `syncd` command."""

from __future__ import annotations

import sys

from syncd.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
