"""Datasets that have names: a table of them, plugins' tables, and a company's own."""
