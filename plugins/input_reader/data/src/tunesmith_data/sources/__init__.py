"""Rows that lie in no file of this machine: who brings them, and where they are put."""
