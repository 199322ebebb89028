"""Contract of kind ``dataset_format``: rows as people keep them -> rows as objectives read them.

Facts: ``row``: JSON Schema (draft 7) of one row. Detection is made from it without importing the plugin; of several formats
that match, the one that requires most keys wins, and of these the one of the highest priority. A format with several sets of columns has
each at its schema's top as one of ``anyOf``: ``[{"required": ["messages", "label"]}, {"required": ["prompt", "label"]}]``. Every row is
held against the schema and converted, in a worker, before anything is planned with it; a row that the format refuses then is told with its
line. What has a place under ``properties`` is read; of other keys it is said that they are not. ``aliases``: column -> names that it often
has elsewhere; where rows fit no format, the error offers them as `columns`. ``produces``: ``dataset/chat`` or another.
What the schema gives ``"format": "media"`` names images, sounds or videos: a path from the folder in which the rows lie, an object with
such a ``path`` or ``url``, or a list of these. The input reader sees that they are there, and knows when they have changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tunesmith_data.api.rows import Row


class DatasetFormat(Protocol):
    def convert(self, row: Mapping[str, Any]) -> Row | Sequence[Row]:
        """The row in the form that `produces` names (see `tunesmith_data.api.rows`); where it becomes several, a list of these, or none.
        It already fits the row schema.

        Raises:
            UserError: TS-DATA-... for what the schema can't say; the caller adds file and line.
        """
