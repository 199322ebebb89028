"""From rows to a served model with one command: what is recommended, carried out, with remedies where something fails. See docs/auto.md."""

AUTO = "from rows to a served model: recommend, train, judge, make smaller, serve, load-test"
