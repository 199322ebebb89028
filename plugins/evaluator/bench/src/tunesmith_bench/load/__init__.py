"""Sends requests at their times and keeps what came back when."""
