"""The reward `json-schema`: whether a completion is JSON that fits a schema, by jsonschema."""
