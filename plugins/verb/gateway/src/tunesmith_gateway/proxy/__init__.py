"""Requests handed on, answers handed back."""
