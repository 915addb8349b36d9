"""How long labels take to come: the maturity curve of each source, its table and its picture."""
