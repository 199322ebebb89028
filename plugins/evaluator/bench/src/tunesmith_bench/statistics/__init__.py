"""The statistics that figures and their doubts rest on, each with its source."""
