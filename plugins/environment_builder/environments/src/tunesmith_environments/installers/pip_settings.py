"""pip's own settings, as the environment variables by which uv knows them: so that whoever can `pip install` can do it by uv.

Standard library only: tools/install.py uses it before anything is installed.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

#: pip's setting -> uv's variable, and the variables by which the user may have said it to uv already
_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "proxy": ("ALL_PROXY", "all_proxy"),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
}
_SEPARATORS = {"UV_FIND_LINKS": ","}  # the others take spaces
_SECTIONS = ("global", "install")  # the later counts more, as it does to pip
_TRUE = ("1", "true", "yes", "on", "t", "y")


def uv_variables(environ: Mapping[str, str] | None = None, prefix: str = sys.prefix, find_links: tuple[str, ...] = ()) -> dict[str, str]:
    """What to add to `environ` (default: this process's) for uv. What the user told uv itself is not in it, and so wins.

    Args:
        prefix: the environment whose own pip.conf counts too.
        find_links: further folders of wheels.
    """
    environ = os.environ if environ is None else environ
    settings = pip_settings(environ, prefix)
    found = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # all indexes are equal, as they are to pip
    for name, value in settings.items():
        variables = _VARIABLES.get(name, ())
        # pip passes over a local index that is not there; uv would stop at it
        words = [word for word in value.split() if _is_there(word)]
        if not variables or not words or any(variable in environ for variable in variables):
            continue
        found[variables[0]] = _SEPARATORS.get(variables[0], " ").join(words)
    if find_links:
        mine = environ.get("UV_FIND_LINKS") or found.get("UV_FIND_LINKS", "")
        found["UV_FIND_LINKS"] = ",".join([*find_links, *filter(None, [mine])])
    return {name: value for name, value in found.items() if name == "UV_FIND_LINKS" or name not in environ}


def no_index(environ: Mapping[str, str] | None = None, prefix: str = sys.prefix) -> bool:
    """Whether pip asks no index at all: uv has an option for it (``--no-index``), but no variable."""
    settings = pip_settings(os.environ if environ is None else environ, prefix)
    return settings.get("no-index", "").strip().lower() in _TRUE


def pip_settings(environ: Mapping[str, str], prefix: str = sys.prefix) -> dict[str, str]:
    """What `pip config list` would say, each setting with the value that is in force for `pip install`."""
    found: dict[str, str] = {}
    sections = [_sections(path) for path in config_files(environ, prefix)]
    for section in _SECTIONS:
        for parsed in sections:
            found |= parsed.get(section, {})
    for name, value in environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            found[name[4:].lower().replace("_", "-")] = value
    return found


def config_files(environ: Mapping[str, str], prefix: str) -> Iterator[Path]:
    """pip's configuration files, those that count more after the others; they may not exist."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
        user = home / "Library" / "Application Support" / "pip"
        folder = user if user.is_dir() else home / ".config" / "pip"
    else:
        for base in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
            yield Path(base) / "pip" / "pip.conf"
        yield Path("/etc/pip.conf")
        folder = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
    if not (named and Path(named).exists()):  # it takes the place of the user's own
        yield home / ".pip" / "pip.conf"
        yield folder / "pip.conf"
    yield Path(prefix) / "pip.conf"
    if named:
        yield Path(named)


def _sections(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):  # pip itself says what is wrong with it
        return {}
    return {section: {_option(name): value for name, value in parser.items(section)} for section in parser.sections()}


def _option(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _is_there(word: str) -> bool:
    return not word.startswith("file://") or Path(word[7:]).exists()
