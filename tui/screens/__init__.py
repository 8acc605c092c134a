"""The screens of the browser: one for the runs, one for a run with a pane for each view of it."""
