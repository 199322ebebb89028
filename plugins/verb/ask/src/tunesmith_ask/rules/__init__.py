"""The offline road: rules as data, in English and Chinese."""
