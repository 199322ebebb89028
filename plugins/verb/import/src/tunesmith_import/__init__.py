"""Other tools' configurations become pipelines. See docs/import.md."""

IMPORT = "a pipeline from another tool's configuration; each of its keys is accounted for"
KIND = "importer"
