"""Search over a pipeline's settings: the command `tune`, the kind `searcher`, and three searchers."""

TUNE = "search for a pipeline's best settings within a budget"
