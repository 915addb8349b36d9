"""A program for spark-submit: the command ``trustlake``, whose code comes from the shipped zip."""

from __future__ import annotations

import sys

from operations.cli import main

sys.exit(main())
