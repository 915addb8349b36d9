"""What a log holds: its columns, its days, and how often its rows turn out to be fraud."""
