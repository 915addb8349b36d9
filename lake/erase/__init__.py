"""One person's rows removed from tables and raw files, and kept out of what is delivered later."""
