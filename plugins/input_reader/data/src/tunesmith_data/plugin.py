"""What this plugin brings: kinds of dataset formats and sources, the input reader of data files, its verbs, and the command `data`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Input, Kind, Provider, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith_data import KIND, SOURCE, SUMMARY
from tunesmith_data.settings import MixSettings, PrepareSettings, SplitSettings

_NO_METRICS = {"metrics": {}}


@hookimpl
def kind() -> Sequence[Kind]:
    return (
        Kind(
            name=KIND,
            summary="a way to write rows",
            contract="tunesmith_data.api.dataset_format:DatasetFormat",
            checks="tunesmith_data.conformance.dataset_format",
            scaffold="scaffold/dataset_format",
            example='Provider("tickets", "the help desk\'s export", "acme_desk.rows:Tickets", produces=("dataset/chat",),\n'
            '                    facts={"row": {"type": "object", "required": ["question", "solution"]}})',
        ),
        Kind(
            name=SOURCE,
            summary="where rows come from that lie in no file of this machine",
            contract="tunesmith_data.api.dataset_source:DatasetSource",
            checks="tunesmith_data.conformance.dataset_source",
            scaffold="scaffold/dataset_source",
            example='Provider("warehouse", "tables of the warehouse", "acme_desk.warehouse:Tables", facts={"schemes": ["warehouse"]})',
        ),
    )


@hookimpl
def input_reader() -> Provider:
    return Provider("data-files", "rows in the user's files", "tunesmith_data.input_reader:DataFiles", produces=("dataset/*", "file"))


@hookimpl
def dataset_source() -> Sequence[Provider]:
    return (
        Provider("file-tree", "a directory of texts or pictures", "tunesmith_data.sources.directory:Directory",
                 facts={"folders": True, "volatile": True}),
        Provider("sql", "a table of a database, or what a query selects", "tunesmith_data.sources.sql:Sql",
                 facts={"schemes": ["sqlite", "postgresql", "mysql", "mariadb", "mssql", "oracle", "duckdb"], "volatile": True},
                 secrets=("TUNESMITH_SQL_PASSWORD",)),
    )  # fmt: skip


@hookimpl
def verb() -> Sequence[Verb]:
    return (
        Verb(
            "prepare", "turn a data file into checked rows", "tunesmith_data.verbs.prepare:run", PrepareSettings, kind=KIND,
            inputs=(Input("file", "the data file", accepts=("file",)),), produces_of=KIND, facts=_NO_METRICS, computes=False,
        ),
        Verb(
            "split", "a part of a dataset's rows, to learn from or held out; written `data: {path: a.jsonl, split: test, test_size: 0.1}`",
            "tunesmith_data.verbs.split:run", SplitSettings, inputs=(Input("rows", "the dataset", accepts=("dataset/*",)),),
            produces=("dataset/*",), facts=_NO_METRICS, computes=False,
        ),
        Verb(
            "mix", "the rows of several datasets as one; written `data: {a.jsonl: 0.7, b.jsonl: 0.3}`", "tunesmith_data.verbs.mix:run",
            MixSettings, inputs=(Input("rows", "the datasets", accepts=("dataset/*",), many=True),), produces=("dataset/*",),
            facts=_NO_METRICS, computes=False,
        ),
    )  # fmt: skip


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("data", SUMMARY, "tunesmith_data.commands:main")]
