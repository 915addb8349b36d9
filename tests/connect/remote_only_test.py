"""A PySpark that knows Connect alone, as clients of serverless compute have it, lacks names of the classic one."""

from __future__ import annotations

import os
import subprocess
import sys


def test_training_can_be_imported() -> None:
    # What PySpark itself sets to be tested as such.
    environment = os.environ | {"SPARK_SKIP_CONNECT_COMPAT_TESTS": "1"}
    code = "import pyspark; assert not hasattr(pyspark, 'Broadcast'); import training.train"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
