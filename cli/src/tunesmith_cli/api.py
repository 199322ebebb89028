"""What commands of plugins are made of: all of `tunesmith_cli` that other distributions may import. A name is imported at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_cli.chat.endpoint import served_step
    from tunesmith_cli.chosen_run import chosen_run, past_runs
    from tunesmith_cli.command import Command
    from tunesmith_cli.command_answer import CommandAnswer, ask_command
    from tunesmith_cli.confirmation import confirmed
    from tunesmith_cli.dispatch import run_command, run_group
    from tunesmith_cli.display import reporting
    from tunesmith_cli.display.number_format import amount, duration, number, size
    from tunesmith_cli.display.token_page import TOKENS_FILE, TOKENS_FORMAT, token_page
    from tunesmith_cli.errors import colored, error_text
    from tunesmith_cli.estimate.model import read_config
    from tunesmith_cli.estimate.step import StepEstimate, StepEstimator
    from tunesmith_cli.import_probe import probe
    from tunesmith_cli.launch import DEFAULT_FILE, Session
    from tunesmith_cli.main import main
    from tunesmith_cli.options.columns import add_columns, add_filter, columns_given, filter_given
    from tunesmith_cli.options.device_catalog import add_cards, card, card_sizes, named_cards
    from tunesmith_cli.options.json_catalog import read_json_catalog
    from tunesmith_cli.options.overrides import override
    from tunesmith_cli.options.pipeline_file import file_argument, load
    from tunesmith_cli.options.settings import typed
    from tunesmith_cli.running_endpoints import RunningEndpoint, running_endpoints
    from tunesmith_cli.runs_diff.sample_pairs import metric_difference, metric_interval, metric_p, sample_pairs, samples
    from tunesmith_cli.terminal_width import terminal_width
    from tunesmith_cli.text_tables import columns
    from tunesmith_cli.translation.catalogs import gettext, translated
    from tunesmith_cli.translation.east_asian import padded, text_width, wrap
    from tunesmith_cli.translation.language import language
    from tunesmith_cli.unknown_command import unknown
    from tunesmith_cli.untrusted_text import safe, safe_json
    from tunesmith_cli.whole_file import write_whole

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

_MODULES = {
    "tunesmith_cli.chat.endpoint": "served_step",
    "tunesmith_cli.chosen_run": "chosen_run, past_runs",
    "tunesmith_cli.command": "Command",
    "tunesmith_cli.command_answer": "CommandAnswer, ask_command",
    "tunesmith_cli.confirmation": "confirmed",
    "tunesmith_cli.dispatch": "run_command, run_group",
    "tunesmith_cli.display": "reporting",
    "tunesmith_cli.display.number_format": "amount, duration, number, size",
    "tunesmith_cli.display.token_page": "TOKENS_FILE, TOKENS_FORMAT, token_page",
    "tunesmith_cli.errors": "colored, error_text",
    "tunesmith_cli.estimate.model": "read_config",
    "tunesmith_cli.estimate.step": "StepEstimate, StepEstimator",
    "tunesmith_cli.import_probe": "probe",
    "tunesmith_cli.launch": "DEFAULT_FILE, Session",
    "tunesmith_cli.main": "main",
    "tunesmith_cli.options.columns": "add_columns, add_filter, columns_given, filter_given",
    "tunesmith_cli.options.device_catalog": "add_cards, card, card_sizes, named_cards",
    "tunesmith_cli.options.json_catalog": "read_json_catalog",
    "tunesmith_cli.options.overrides": "override",
    "tunesmith_cli.options.pipeline_file": "file_argument, load",
    "tunesmith_cli.options.settings": "typed",
    "tunesmith_cli.running_endpoints": "RunningEndpoint, running_endpoints",
    "tunesmith_cli.terminal_width": "terminal_width",
    "tunesmith_cli.runs_diff.sample_pairs": "metric_difference, metric_interval, metric_p, sample_pairs, samples",
    "tunesmith_cli.text_tables": "columns",
    "tunesmith_cli.translation.catalogs": "gettext, translated",
    "tunesmith_cli.translation.east_asian": "padded, text_width, wrap",
    "tunesmith_cli.translation.language": "language",
    "tunesmith_cli.unknown_command": "unknown",
    "tunesmith_cli.untrusted_text": "safe, safe_json",
    "tunesmith_cli.whole_file": "write_whole",
}
__getattr__ = exports(__name__, {name: module for module, names in _MODULES.items() for name in names.split(", ")})

__all__ = [
    "API",
    "DEFAULT_FILE",
    "TOKENS_FILE",
    "TOKENS_FORMAT",
    "Command",
    "CommandAnswer",
    "RunningEndpoint",
    "Session",
    "StepEstimate",
    "StepEstimator",
    "add_cards",
    "add_columns",
    "add_filter",
    "amount",
    "ask_command",
    "card",
    "card_sizes",
    "chosen_run",
    "colored",
    "columns",
    "columns_given",
    "confirmed",
    "duration",
    "error_text",
    "file_argument",
    "filter_given",
    "gettext",
    "language",
    "load",
    "main",
    "metric_difference",
    "metric_interval",
    "metric_p",
    "named_cards",
    "number",
    "override",
    "padded",
    "past_runs",
    "probe",
    "read_config",
    "read_json_catalog",
    "reporting",
    "run_command",
    "run_group",
    "running_endpoints",
    "safe",
    "safe_json",
    "sample_pairs",
    "samples",
    "served_step",
    "size",
    "terminal_width",
    "text_width",
    "token_page",
    "translated",
    "typed",
    "unknown",
    "wrap",
    "write_whole",
]  # fmt: skip
