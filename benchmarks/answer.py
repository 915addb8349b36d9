"""One competitor's answer in a process of its own: ``python -m benchmarks.answer NAME QUESTION``."""

from __future__ import annotations

import json
import sys
from importlib import import_module

from benchmarks.question import Question

if __name__ == "__main__":
    name, question = sys.argv[1:]
    import_module(f"benchmarks.competitors.{name}").answer(Question(**json.loads(question)))
