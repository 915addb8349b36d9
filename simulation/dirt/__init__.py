"""What is wrong with logs: which kinds of dirt there are, which rows carry them, and how they look."""
