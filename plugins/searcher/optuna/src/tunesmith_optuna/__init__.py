"""Searchers by Optuna and by its CMA-ES library: `tpe` and `cmaes`."""
