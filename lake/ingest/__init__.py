"""Raw files to events: each file once, each event once, every refused row kept with its reason."""
