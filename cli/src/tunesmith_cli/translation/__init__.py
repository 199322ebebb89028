"""Texts in the reader's language: which language that is, where translations lie, and how a finished sentence is translated."""
