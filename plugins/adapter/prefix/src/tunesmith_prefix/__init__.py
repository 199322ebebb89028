"""Prefix tuning (Li and Liang, arXiv:2101.00190): keys and values before every sequence, in every layer, train; the model stays."""
