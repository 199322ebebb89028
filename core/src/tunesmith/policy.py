"""What is allowed: a list of files that each can only tighten what the others say.

The layers, those with the most authority first: ``system`` (the machine's), ``company`` (which the system's file names, or
$TUNESMITH_POLICY), ``user``, ``project`` (the pipeline's) and ``home`` (of the project whose state is used). They say the same things::

    [plugins]
    allow = ["tunesmith-*"]               # name, or name==version; * ? [] as in a shell. A plugin must pass every file's list
                                          # name==version@sha256:... : with just this code (`tunesmith plugin info NAME --code` tells it)
    deny = ["tunesmith-loud==0.3.*"]      # what any file denies is denied
    require = ["acme-gate", "acme-policy==1.2.*"]  # nothing is planned or run without what any file requires

    [plugins.override]                    # who wins where two distributions bring the same name
    "adapter.tilt" = "acme-tilt"

    [models]
    allow = ["hf://acme/*"]               # addresses; a model must pass every file's list
                                          # hf://acme/tilt@sha256:... : with just these files (the digest of its artifact)

    [environments]                        # of plugins that can't share this one
    directory = "/data/environments"      # default: in the user's cache
    builder = "shed"                      # what makes them, or with its settings: {shed = {mirror = "https://acme.example"}}
    offline = true                        # holds as soon as one file says so; also: TUNESMITH_OFFLINE=1
    find_links = ["/data/wheels"]         # folders of wheels

    [environments.plugins]                # auto, host, isolated
    "acme-tilt" = "isolated"

    [store]
    verify_gib = 4                        # of what a step opens, so much is hashed before, what was not for longest first; 0: nothing.
                                          # A file that looks touched is hashed in any case

    [run]
    jobs = 0                              # steps of a run at a time; 0: as memory, devices and cores allow
    hang_timeout = 30                     # seconds in which the processes of a step that all do nothing are taken for hanging; 0: never

    [files]
    roots = ["/data/images"]              # where the media of rows and the links of models may lead, besides their own folder;
                                          # a file must lie below a root of every file that names some

    [home]
    group = "research"                    # the home is shared with this group; files that name different ones share it with nobody

    [pipeline]                            # what a pipeline says that does not say otherwise: keys of kinds that listen to runs
    watch = {diary = {pages = 3}}

    [policy]
    company = "/mnt/acme/tunesmith.toml"  # in the system's file only

Of what is a choice and no rule (override, directory, builder, find_links, plugins, verify_gib, jobs, hang_timeout, pipeline) the system's
and the company's files count first, then the project's, the home's, the user's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError, UserError

PROJECT_FILE = "tunesmith.toml"
COMPANY = "TUNESMITH_POLICY"  #: names a company's file
SYSTEM_FILE = Path("/etc/tunesmith/config.toml")
CHOOSING = ("system", "company", "project", "home", "user")  #: whose choice counts first
_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]!-]+(==[A-Za-z0-9._*?\[\]!+-]+)?(@sha256:[0-9a-f]{64})?")
_REQUIRED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(==[A-Za-z0-9._*?\[\]!+-]+)?")
_MODEL = re.compile(r"(?:(?!@sha256:)\S)+(@sha256:[0-9a-f]{64})?")
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_TEXT = {"type": "string", "minLength": 1}
_NUMBER = {"type": "number", "minimum": 0}
_BUILDER = {"anyOf": [_TEXT, {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"type": "object"}}]}


def _table(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_SCHEMA = _table(
    plugins=_table(allow=_TEXTS, deny=_TEXTS, require=_TEXTS, override={"type": "object", "additionalProperties": {"type": "string"}}),
    environments=_table(
        directory=_TEXT, builder=_BUILDER, offline={"type": "boolean"}, find_links=_TEXTS,
        plugins={"type": "object", "additionalProperties": {"type": "string", "enum": ["auto", "host", "isolated"]}},
    ),
    store=_table(verify_gib=_NUMBER), run=_table(hang_timeout=_NUMBER, jobs={"type": "integer", "minimum": 0}),
    files=_table(roots=_TEXTS), home=_table(group=_TEXT),
    pipeline={"type": "object"}, policy=_table(company=_TEXT), models=_table(allow=_TEXTS),
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """What one file says. An empty `allow` allows every plugin that is not denied; `environments` and `pipeline` are its tables as they are
    written.

    Args:
        layer: ``system``, ``company``, ``user``, ``project`` or ``home``.
        roots: folders in full; None: the file names none.
        group: with which the home is shared; empty: the file names none.
        verify_gib: of what a step opens, to be hashed before; None: the file does not say.
        hang_timeout: seconds for ranks that do nothing; None: the file does not say.
        jobs: steps at a time; None: the file does not say.
        models: that may be used; empty: all.
    """

    path: Path
    layer: str = "project"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Any] = field(default_factory=dict)
    require: tuple[str, ...] = ()
    roots: tuple[Path, ...] | None = None
    group: str = ""
    company: str = ""
    verify_gib: float | None = None
    hang_timeout: float | None = None
    jobs: int | None = None
    pipeline: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()

    def place(self, text: str) -> Path:
        """A folder or file that the policy names, relative to where its own file lies."""
        return self.path.parent / os.path.expanduser(text)


def find_policies(places: Sequence[Path], home: Path, user: Path) -> tuple[list[Policy], list[TunesmithError]]:
    """The policies in force, those of the most authority first, and everything that is wrong with them.

    Args:
        places: files or folders that are worked with, a pipeline's first.
        home: the state directory that is used.
        user: the user's file.
    """
    policies: list[Policy] = []
    problems: list[TunesmithError] = []

    def read(layer: str, path: Path) -> None:
        if not any(policy.path == path for policy in policies):
            policy, found = read_policy(path, layer)
            policies.append(policy)
            problems.extend(found)

    if os.path.lexists(SYSTEM_FILE):
        read("system", SYSTEM_FILE)
    named = [policy.place(policy.company) for policy in policies if policy.company]
    named += [Path(os.path.abspath(os.environ[COMPANY]))] if os.environ.get(COMPANY) else []
    for path in named:
        read("company", path)
    if os.path.lexists(user):
        read("user", user)
    for layer, starts in (("project", places), ("home", (home,))):
        for start in starts:
            for path in _nearest(start):
                read(layer, path)
    return policies, problems


def _nearest(start: Path) -> Iterator[Path]:
    """The project's file at or above a place, by the names on its path and by where its links lead."""
    for place in dict.fromkeys((os.path.abspath(start), os.path.realpath(start))):
        files = (folder / PROJECT_FILE for folder in (Path(place), *Path(place).parents))
        yield from islice(filter(os.path.lexists, files), 1)


def read_policy(path: Path, layer: str = "project") -> tuple[Policy, list[TunesmithError]]:
    """What a configuration file says, and everything that is wrong with it."""
    from tunesmith import toml
    from tunesmith.contracts.settings import problems

    try:
        data = toml.read(path)
    except (OSError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error)
        return Policy(path, layer), [
            UserError("TS-PLUGIN-020", f"{path} can't be read", why=why, fix="Correct the file, or remove it and what names it.")
        ]
    plugins = data.get("plugins")
    if isinstance(plugins, dict) and isinstance(plugins.get("override"), dict):
        plugins["override"] = _flat(plugins["override"])
    found: list[TunesmithError] = [
        UserError("TS-PLUGIN-021", f"{path}: `{where}` {sentence}", fix="Correct the file.") for where, sentence in problems(_SCHEMA, data)
    ]
    if found:
        return Policy(path, layer), found
    plugins = plugins or {}
    for key in ("allow", "deny"):
        for pattern in plugins.get(key, ()):
            if not _PATTERN.fullmatch(pattern):
                fix = "Write a distribution's name, or name==version; * ? and [] match as in a shell. A pin follows as @sha256:..."
                found.append(UserError("TS-PLUGIN-021", f"{path}: `plugins.{key}` has the pattern {pattern!r}", fix=fix))
    for pattern in plugins.get("require", ()):
        if not _REQUIRED.fullmatch(pattern):
            fix = "Write a distribution's name, or name==version; * ? and [] match as in a shell, in the version only."
            found.append(UserError("TS-PLUGIN-021", f"{path}: `plugins.require` has the entry {pattern!r}", fix=fix))
    for pattern in data.get("models", {}).get("allow", ()):
        if not _MODEL.fullmatch(pattern):
            fix = "Write an address, in which * ? and [] match as in a shell, or address@sha256:... with 64 hexadecimal digits."
            found.append(UserError("TS-PLUGIN-021", f"{path}: `models.allow` has the pattern {pattern!r}", fix=fix))
    found += [problem for key in plugins.get("override", {}) for problem in _override_problems(path, key)]
    company = data.get("policy", {}).get("company", "")
    if company and layer != "system":
        what = f"{path}: `policy.company` counts in {SYSTEM_FILE} only"
        found.append(UserError("TS-PLUGIN-021", what, fix=f"Take it out, or name the file in ${COMPANY}."))
    allow, deny, require = (tuple(plugins.get(key, ())) for key in ("allow", "deny", "require"))
    policy = Policy(
        path, layer, allow, deny, plugins.get("override", {}), data.get("environments", {}), require,
        group=data.get("home", {}).get("group", ""), company=company,
        verify_gib=data.get("store", {}).get("verify_gib"), pipeline=data.get("pipeline", {}),
        models=tuple(data.get("models", {}).get("allow", ())),
        **data.get("run", {}),
    )  # fmt: skip
    roots = data.get("files", {}).get("roots")
    return (policy if roots is None else replace(policy, roots=tuple(map(policy.place, roots)))), found


def _override_problems(path: Path, key: str) -> list[TunesmithError]:
    kind, dot, name = key.partition(".")
    if kind and dot and name:
        return []
    fix = 'Write "kind.name" = "distribution": which kinds there are is said by `tunesmith plugin list`.'
    return [UserError("TS-PLUGIN-021", f"{path}: `plugins.override` has the key {key!r}", fix=fix)]


def matches(pattern: str, distribution: str, version: str, contents: Callable[[], str] = str) -> bool:
    """Whether a pattern of a policy (``name``, ``name==version``, with globs; with ``@sha256:...`` at its end) names a distribution."""
    pattern, _, digest = pattern.partition("@")
    name, _, wanted = pattern.partition("==")
    named = fnmatchcase(normal(distribution), normal(name)) and (not wanted or fnmatchcase(version, wanted))
    return named and (not digest or contents() == digest)


def names_model(pattern: str, uri: str, digest: str = "") -> bool:
    """Whether a pattern of `models.allow` names a model: by its address, and where both tell one by its digest."""
    name, _, pin = pattern.partition("@sha256:")
    return fnmatchcase(uri, name) and (not pin or not digest or digest == f"sha256:{pin}")


def normal(distribution: str) -> str:
    """A distribution's name in the one spelling of PEP 503: `Acme_Tilt` and `acme-tilt` are the same."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """``adapter.tilt`` without quotes is a table in TOML; both spellings mean the same."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{rest}": item for rest, item in _flat(value).items()}
        else:
            flat[key] = value
    return flat
