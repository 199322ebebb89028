"""Tables of keys, one a tool; `tunesmith_import.mapping.table` says how they are written."""
