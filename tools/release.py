"""All distributions of this repository as wheels, in an index that pip and uv can be pointed at: `make release`.

    python tools/release.py --to DIR       # wheels in DIR, and DIR/simple, a package index of them
    python tools/release.py --set 0.2.0    # state another version, everywhere

The version is stated once, by the pyproject.toml of the root; docs/versions.md says why it is one, and what the others ask of each other.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from distributions import ROOT, Distribution, distributions
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

KERNEL = ROOT / "core" / "src" / "tunesmith" / "__init__.py"
_FIRST_PARTY = re.compile(r'"(tunesmith(?:-[a-z0-9-]+)?(?:\[[^\]]*\])?)[~=<>!][^"]*"')
_VERSION = re.compile(r'^(version|__version__) = "[^"]*"$', re.M)


def faults(found: Mapping[str, Distribution]) -> Iterator[str]:
    """Where distributions do not state the version of `tunesmith`, or ask for each other in another way than by ``~=VERSION``."""
    version = found["tunesmith"].version
    for one in found.values():
        if one.version != version:
            yield f"{one.name} has the version {one.version}, tunesmith {version}"
        for wanted in map(Requirement, one.requirements):
            other = canonicalize_name(wanted.name)
            if other in found and other != one.name and str(wanted.specifier) != f"~={version}":
                yield f"{one.name} asks for {wanted}: write ~={version}"


def stated(text: str, version: str) -> str:
    """A pyproject.toml, or the kernel's module, with another version of its own and in what it asks of first-party distributions."""
    return _FIRST_PARTY.sub(rf'"\1~={version}"', _VERSION.sub(rf'\1 = "{version}"', text, count=1))


def state(version: str) -> list[Path]:
    """Write the version wherever it is stated; manifests repeat it, and are written by `tunesmith plugin sync`."""
    changed = []
    for path in (KERNEL, *(one.folder / "pyproject.toml" for one in distributions().values())):
        text = path.read_text()
        if (new := stated(text, version)) != text:
            path.write_text(new)
            changed.append(path)
    return changed


def drifted() -> list[str]:
    """Manifests that differ from their code."""
    from tunesmith_sdk.manifest.sync import sync

    plugins = [one.folder for one in distributions().values() if one.plugin or one.name == "tunesmith-core"]
    return [str(manifest.path.relative_to(ROOT)) for folder in plugins for manifest in sync(folder, check=True) if manifest.diff]


def build(one: Distribution, directory: Path) -> Path:
    """The distribution's wheel."""
    (path,) = WheelBuilder(str(one.folder)).build(directory=str(directory), versions=["standard"])
    return Path(path)


def write_index(directory: Path) -> None:
    """A package index (PEP 503) of a folder's wheels, in the folder `simple` below it."""
    wheels = defaultdict(list)
    for path in sorted(directory.glob("*.whl")):
        wheels[parse_wheel_filename(path.name)[0]].append(path)
    for name, paths in wheels.items():
        links = [(f"../../{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}", path.name) for path in paths]
        _page(directory / "simple" / name, links)
    _page(directory / "simple", [(f"{name}/", name) for name in wheels])


def _page(folder: Path, links: list[tuple[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f'<a href="{html.escape(target)}">{html.escape(text)}</a><br>' for target, text in links]
    (folder / "index.html").write_text("\n".join(["<!DOCTYPE html>", *lines, ""]))


def release(directory: Path) -> int:
    problems = [*faults(distributions()), *(f"{path} differs from its code" for path in drifted())]
    if problems:
        print(
            *problems,
            "Nothing was built. `tools/release.py --set VERSION` and `tunesmith plugin sync` put it right.",
            sep="\n",
            file=sys.stderr,
        )
        return 1
    start = time.monotonic()
    directory.mkdir(parents=True, exist_ok=True)
    wheels = [build(one, directory) for one in distributions().values()]
    write_index(directory)
    size = sum(path.stat().st_size for path in wheels)
    version = distributions()["tunesmith"].version
    print(f"{len(wheels)} distributions, version {version}, {size / 1e6:.1f} MB, {time.monotonic() - start:.1f} s: {directory}")
    print(f"pip install --extra-index-url {(directory / 'simple').resolve().as_uri()} 'tunesmith[train]'")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", type=Path, metavar="DIR", help="build all wheels into this folder")
    what.add_argument("--set", type=Version, metavar="VERSION", help="state this version, and ask for it, everywhere")
    args = parser.parse_args()
    if args.to:
        return release(args.to)
    print(*(path.relative_to(ROOT) for path in state(str(args.set))), sep="\n")
    return subprocess.run([sys.executable, "-m", "tunesmith_cli", "plugin", "sync"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
