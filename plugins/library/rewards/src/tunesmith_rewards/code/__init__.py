"""The reward `code`: programs of completions, run in a sandbox and held against tests."""
