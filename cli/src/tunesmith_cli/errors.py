"""Errors as a person, or a program, reads them (law L6)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tunesmith_cli.broken_pipe import Unbroken
from tunesmith_cli.translation.catalogs import gettext, translated
from tunesmith_cli.translation.east_asian import padded
from tunesmith_cli.untrusted_text import safe, safe_json

if TYPE_CHECKING:
    from tunesmith.errors import TunesmithError


def complain(error: TunesmithError, as_json: bool = False, step: str = "") -> int:
    """Show an error and give its exit status. JSON goes to stdout, where the program that asked for it reads.

    Args:
        step: that failed.
    """
    if as_json:
        told = {"event": "error", "error": error.to_json()} | ({"step": step} if step else {})
        print(safe_json(told), flush=True)
    else:
        print(error_text(error, colored(sys.stderr), step), file=Unbroken(sys.stderr))
    return error.exit_status


def error_text(error: TunesmithError, color: bool = False, step: str = "") -> str:
    """All of an error: of several problems each with its number."""
    from tunesmith.errors import Problems

    problems = error.problems if isinstance(error, Problems) else (error,)
    if len(problems) == 1:
        return _one(problems[0], "error ", "  ", color, step)
    count, rest = (gettext("{count} problems", count=len(problems)), gettext(", all found before anything was run:"))
    lines = [_paint(count, "1;31", color) + rest]
    lines += [_one(problem, f"{number:>2}. ", "    ", color) for number, problem in enumerate(problems, 1)]
    return "\n".join(lines)


def _one(error: TunesmithError, head: str, indent: str, color: bool, step: str = "") -> str:
    lines = [_paint(f"{gettext(head)}{error.code}", "1;31", color) + f": {safe(translated(error.what))}"]
    labels = {"step": gettext("step:"), "why": gettext("why:"), "fix": gettext("fix:"), "page": gettext("page:")}
    for label, text in (("step", step), ("why", translated(error.why)), ("fix", translated(error.fix)), ("page", _page(error.code))):
        if text:
            continued = safe(text).replace("\n", "\n" + indent + " " * 6)
            lines.append(indent + _paint(padded(labels[label], 5), "1" if label == "fix" else "2", color) + f" {continued}")
    return "\n".join(lines)


def _page(code: str) -> str:
    """Where an error is explained: in these docs, or where the plugin whose code it is says; empty if it says nothing."""
    if code.startswith("TS-"):
        return f"docs/errors/{code}.md"
    try:
        from tunesmith.config import load_config
        from tunesmith.plugins.registry import load_registry

        pages = {prefix: page for plugin in load_registry(load_config()).plugins for prefix, page in plugin.error_pages.items()}
    except Exception:  # an error is told whatever else is wrong
        return ""
    mine = max((prefix for prefix in pages if code.startswith(prefix)), key=len, default=None)
    return "" if mine is None else pages[mine].replace("{code}", code)


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text


def colored(stream: Any) -> bool:
    """Whether a stream is a terminal that wants colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def internal_error(error: Exception, arguments: list[str], debug: bool) -> TunesmithError:
    """An exception that nobody expected, as an error; its traceback goes to a log file, and to stderr with `debug`."""
    import traceback

    from tunesmith.errors import TunesmithError

    text = "".join(traceback.format_exception(error))
    if debug:
        print(text, file=sys.stderr, end="")
    try:
        where = f"the traceback is in {_log(text, arguments)}"
    except OSError as problem:
        where = f"the traceback could not be written ({problem.strerror}); --debug shows it"
    what = f"internal error: {type(error).__name__}: {error}".rstrip(": ")
    return TunesmithError("TS-RUN-099", what, why=where, fix="A defect of tunesmith or of a plugin: please report it with that file.")


def _log(text: str, arguments: list[str]) -> str:
    import platform
    import time

    from tunesmith import __version__
    from tunesmith.config import load_config

    folder = load_config().cache / "internal-errors"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    head = f"tunesmith {__version__}, Python {platform.python_version()}, {platform.platform()}\n{arguments}\n\n"
    path.write_text(head + text, encoding="utf-8")
    return str(path)
