"""What others build on: the contracts of dataset formats and dataset sources, and rows.
`tunesmith_data.api.json_text` reads JSON as a row may hold it.

Nothing else of `tunesmith_data` is for others.
"""

from tunesmith_data.api.dataset_format import DatasetFormat
from tunesmith_data.api.dataset_source import DatasetSource, FoundDataset
from tunesmith_data.api.row_schema import RowSchema, alternatives, expanded, row_schema
from tunesmith_data.api.rows import (
    CONVERSATIONS,
    LABELS,
    PART_TYPES,
    ROWS_FILE,
    TEXTS,
    Message,
    Part,
    Row,
    characters_of,
    columns_of,
    message,
    read_rows,
    text_of,
)

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = [
    "API",
    "CONVERSATIONS",
    "LABELS",
    "PART_TYPES",
    "ROWS_FILE",
    "TEXTS",
    "DatasetFormat",
    "DatasetSource",
    "FoundDataset",
    "Message",
    "Part",
    "Row",
    "RowSchema",
    "alternatives",
    "characters_of",
    "columns_of",
    "expanded",
    "message",
    "read_rows",
    "row_schema",
    "text_of",
]
