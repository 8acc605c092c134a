"""The browser of runs, in a terminal. Only ``speciate tui`` imports it, since Textual takes its time to load."""
