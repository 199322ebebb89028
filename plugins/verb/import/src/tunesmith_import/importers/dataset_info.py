"""LLaMA-Factory's dataset_info.json: names of datasets -> files with their columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError, did_you_mean
from tunesmith_import.api.contract import Options
from tunesmith_import.configuration.configuration import Entry, flat
from tunesmith_import.configuration.file import text_of
from tunesmith_import.configuration.keys_file import document_of
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.model_source import found, placed

INFO = "dataset_info.json"
#: their column -> what the formats here call it, by the form that rows have
_ALPACA = {"prompt": "instruction", "query": "input", "response": "output"}
_COMMON = {name: name for name in ("system", "tools", "images", "videos", "audios", "chosen", "rejected", "history")} | {"kto_tag": "label"}
_READ = {"label": ("label", "kto_tag"), "conversations": ("conversations", "messages")}  #: read under each of these names
#: tag -> the words that are understood for it
_TAGS = {
    "role_tag": ("from", "role"), "content_tag": ("value", "content"), "user_tag": ("human", "user"),
    "assistant_tag": ("gpt", "assistant", "model", "bot", "ai", "chatgpt", "bing", "bard"), "system_tag": ("system", "developer"),
    "observation_tag": ("observation", "tool", "tool_response", "tool_result", "function", "function_response", "ipython"),
    "function_tag": ("function_call", "tool_call"),
}  # fmt: skip
_ONE_COLUMN = {"pt": "text", "ppo": "prompt"}  #: stage -> the column that its rows have alone
_HUBS = ("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name")


class DatasetInfo:
    """The file beside the rows; without it a name is taken for a file's."""

    def __init__(self, account: Account, options: Options) -> None:
        self.account, self.options = account, options
        folder = account.text("dataset_dir", "data")
        self.path = next((path for text in (f"{folder}/{INFO}", INFO) if (path := found(text, options))), None)
        self.known: Mapping[str, Any] = {}
        self.lines: Mapping[tuple[Any, ...], int] = {}
        if self.path:
            self.known, self.lines = document_of(self.path, text_of(self.path))
            account.take("dataset_dir", "data")
        else:
            account.skip("dataset_dir", "there is no dataset_info.json in it")

    def data(self, name: str, draft: Draft, stage: str) -> Any:
        """What stands under `data` for a name.

        Raises:
            UserError: TS-IMPORT-005 for a name that the file doesn't have.
        """
        if self.path is None:
            if found(name, self.options):
                return placed(name, self.options)
            draft.remarks.append(f"there is no dataset_info.json that says what `{name}` is: name the rows with --data FILE, or in `data`")
            return f"{name}.jsonl"
        if name not in self.known:
            fix = did_you_mean(name, self.known)
            raise UserError("TS-IMPORT-005", f"{self.path} has no dataset `{name}`", fix=fix)
        return self._entry(name, draft, stage)

    def _entry(self, name: str, draft: Draft, stage: str) -> Any:
        prefix, info = f"dataset_info:{name}", self.known[name]
        file = self.path.name if self.path else ""
        entries = [Entry(f"{prefix}.{one.key}", one.value, one.line, file) for one in flat(info, self._lines_of(name), file)]
        self.account.join({entry.key: entry for entry in entries})
        columns = {}
        shared = info.get("formatting") in ("sharegpt", "openai")
        for entry in entries:
            key = entry.key.removeprefix(f"{prefix}.")
            if key.startswith("columns."):
                columns |= self._column(entry, key.removeprefix("columns."), shared, stage)
            else:
                self._other(entry, key)
        path = self._file(info, prefix, name, draft)
        return {"path": path, "columns": columns} if columns else path

    def _lines_of(self, name: str) -> dict[tuple[Any, ...], int]:
        return {path[1:]: line for path, line in self.lines.items() if path[:1] == (name,)}

    def _column(self, entry: Entry, theirs: str, shared: bool, stage: str) -> Mapping[str, str]:
        names = {**_COMMON, **({"messages": "conversations"} if shared else _ALPACA)}
        if stage in _ONE_COLUMN:
            names = {"prompt": _ONE_COLUMN[stage], **({"messages": "messages"} if shared else {})}
        ours, column = names.get(theirs), str(entry.value)
        if ours is None:
            self.account.skip(entry.key, "rows of this form have no such column")
            return {}
        self.account.take(entry.key, "data")
        return {} if column in _READ.get(ours, (ours,)) else {ours: column}

    def _other(self, entry: Entry, key: str) -> None:
        if key.startswith("tags."):
            words = _TAGS.get(key.removeprefix("tags."))
            if words and entry.value in words:
                self.account.take(entry.key, "data")
            else:
                self.account.refuse(entry.key, "turns name their speakers by words that are not read", "rename them in the rows")
        elif key in ("file_name", "formatting", "ranking", *_HUBS):
            self.account.take(entry.key, "data")
        elif key in ("num_samples", "folder", "subset"):
            self.account.refuse(entry.key, "all rows of a file are read", "write a file with the rows that are meant")
        elif key == "split":
            self.account.skip(entry.key, "a file is one split")
        else:
            self.account.refuse(entry.key, "dataset_info.json has no such key there")

    def _file(self, info: Mapping[str, Any], prefix: str, name: str, draft: Draft) -> str:
        folder = self.path.parent if self.path else Path()
        if "file_name" in info:
            return placed(str(folder / str(info["file_name"])), self.options)
        hub = next((key for key in _HUBS if key in info), "")
        self.account.refuse(
            f"{prefix}.{hub}", "datasets of hubs are not fetched", "fetch it, and name its file in `data` or with --data FILE"
        )
        draft.remarks.append(f"the rows of `{name}` are not here: fetch them into {name}.jsonl, or name their file in `data`")
        return f"{name}.jsonl"
