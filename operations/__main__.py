"""``python -m operations``: the command ``trustlake`` where its script is not on the PATH."""

from __future__ import annotations

import sys

from operations.cli import main

sys.exit(main())
