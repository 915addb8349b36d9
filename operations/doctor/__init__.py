"""``trustlake doctor``: looks at this machine and says, for each thing that is wrong, what to do."""

from operations.doctor.examine import add_arguments, examine, run

__all__ = ["add_arguments", "examine", "run"]
