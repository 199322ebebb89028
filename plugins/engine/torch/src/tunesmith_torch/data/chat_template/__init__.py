"""Conversations as a model reads them: its chat template, where the answers lie in what that writes, and which tokens end them.

One way for all: training, evaluation, calibration and serving write the same messages as the same text.
"""
