"""One step's event file, by TensorBoard's own writer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from tunesmith.contracts import MetricPoint
from tunesmith_tracking.completions import Completion, markdown_table
from tunesmith_tracking.step_tracker import End


class EventFile:
    """An event file; a folder may have several, of attempts one after the other.

    Args:
        trial: what the hyper-parameters are listed under.
        begin: readers drop what earlier files of the folder say of this place and of later ones, because it is told again.
        suffix: of the file's name.
    """

    def __init__(self, directory: Path, trial: str, parameters: Mapping[str, Any], begin: int, suffix: str = "") -> None:
        self._writer = EventFileWriter(str(directory), filename_suffix=suffix)
        self._last = begin
        self._writer.add_event(Event(wall_time=time.time(), step=begin, session_log=SessionLog(status=SessionLog.START)))
        self._write(hparams_pb(dict(parameters), trial_id=trial), 0)
        self._writer.flush()

    def add(self, points: Sequence[MetricPoint]) -> None:
        for point in points:
            self._last = max(self._last, point.at)
            self._write(Summary(value=[Summary.Value(tag=point.name, simple_value=point.value)]), point.at)
        self._writer.flush()

    def add_final(self, metrics: Mapping[str, float]) -> None:
        """What the step says of itself at its end, at the last place that it measured."""
        self.add([MetricPoint(f"final/{name}", value, self._last) for name, value in metrics.items()])

    def add_completions(self, completions: Sequence[Completion]) -> None:
        """A table for each place, in the tab "Text"."""
        for at, answers in groupby(completions, key=lambda answer: answer.at):
            self._write(text_pb("completions", markdown_table([*answers])), at)
        self._writer.flush()

    def close(self, end: End) -> None:
        status = api_pb2.STATUS_SUCCESS if end == "finished" else api_pb2.STATUS_FAILURE
        ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
        content = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ended))
        self._write(Summary(value=[Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=content, tensor=metadata.NULL_TENSOR)]), 0)
        self._writer.close()

    def _write(self, summary: Summary, at: int) -> None:
        self._writer.add_event(Event(wall_time=time.time(), step=at, summary=summary))
