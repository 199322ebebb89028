"""The kind `tracker`: its contract (`contract`), and what trackers share (`step_tracker`)."""
