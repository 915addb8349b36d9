"""Type-2 dimensions: what change logs say of each thing, and from when to when."""
