"""Time: entities, windows, labels as a source, views. Knows no storage path, model or decision."""
