"""Ray Tune's search algorithms and schedulers as the searcher `ray-tune`."""
