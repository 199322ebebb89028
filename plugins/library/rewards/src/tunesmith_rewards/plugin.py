"""What this plugin brings: the kinds `reward` and `rl_environment`, those of them that need no library, and the command `rewards`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Kind, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_rewards import REWARDS
from tunesmith_rewards.environments.settings import CalculatorSettings, GuessSettings
from tunesmith_rewards.rewards.settings import CodeSettings, ExactSettings, FormatSettings, LengthSettings, RegexSettings


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("rewards", REWARDS, "tunesmith_rewards.commands.score:main")]


@hookimpl
def kind() -> Sequence[Kind]:
    return [
        Kind(
            name="reward",
            summary="says how good a completion is, as a number, or that it can't tell",
            contract="tunesmith_rewards.api.reward:Reward",
            checks="tunesmith_rewards.conformance.reward",
            scaffold="scaffold/reward",
            example='Provider("polite", "1 for a completion that says please", "acme_polite.reward:Polite")',
        ),
        Kind(
            name="rl_environment",
            summary="answers a model over several turns, with tools, and says what its answers are worth",
            contract="tunesmith_rewards.api.environment:Environment",
            checks="tunesmith_rewards.conformance.environment",
            scaffold="scaffold/rl_environment",
            example='Provider("chess", "plays chess with the model", "acme_chess.rl_environment:Chess")',
        ),
    ]


@hookimpl
def reward() -> Sequence[Provider]:
    return [
        Provider("exact", "1 where the answer is the row's", "tunesmith_rewards.rewards.exact:Exact", ExactSettings),
        Provider("code", "1 where the program passes the row's tests, in a sandbox", "tunesmith_rewards.code.reward:Code", CodeSettings),
        Provider("regex", "1 where a regular expression matches", "tunesmith_rewards.rewards.regex:Regex", RegexSettings),
        Provider("format", "1 for <think>...</think><answer>...</answer>", "tunesmith_rewards.rewards.format:Format", FormatSettings),
        Provider("length", "1 for a length within bounds, less beyond them", "tunesmith_rewards.rewards.length:Length", LengthSettings),
    ]


@hookimpl
def rl_environment() -> Sequence[Provider]:
    return [
        Provider(
            "calculator", "questions with a number as their answer, and a tool that computes",
            "tunesmith_rewards.environments.calculator:Calculator", CalculatorSettings,
        ),
        Provider("guess-number", "a number to be found by guesses", "tunesmith_rewards.environments.guess_number:Guess", GuessSettings),
    ]  # fmt: skip
