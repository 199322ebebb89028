"""Which model, which method, with which settings: decided over the manifests of the installed plugins. See docs/recommend.md."""

PROBE = "this machine for training: devices with their measured speed, memory, disk"
RECOMMEND = "which model, method and settings for these rows on this machine, and why"
WHY = "what came of a run in plain words, by stated rules, and what to try next"
INIT = "write a pipeline file for these rows, with the reasons as comments"
