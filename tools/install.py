"""Make the environment: `python3 tools/install.py [--test] [--venv DIR]`.

Installs what `tunesmith[all]` brings, and the SDK, from the folders of this repository (editable) into `.venv`, at the versions of
tools/constraints.txt. uv does the work, told of pip's own settings; where uv can't be had, pip does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "plugins" / "environment_builder" / "environments" / "src")]
from tunesmith_environments.installers.pip_settings import uv_variables  # noqa: E402

CONSTRAINTS = ROOT / "tools" / "constraints.txt"
LARGE = ("tunesmith-ray", "tunesmith-ray-tune")  #: what these run on is installed by the tests that need it, in an environment of its own
FOLDERS = ("*/", "plugins/*/*/", "contrib/*/")  #: that hold distributions


def folders() -> dict[str, Path]:
    """Where each distribution's pyproject.toml lies."""
    found = [path.parent for pattern in FOLDERS for path in sorted(ROOT.glob(f"{pattern}pyproject.toml"))]
    return {re.findall(r'^name = "(.+)"', (folder / "pyproject.toml").read_text(), re.M)[0]: folder for folder in found}


def requirements(test: bool) -> list[str]:
    """`tunesmith[all]`, the folder of each distribution that it names, the SDK; for the tests also the others, with what they run on."""
    named = set(re.findall(r'"(tunesmith-[a-z0-9-]+)', (ROOT / "pyproject.toml").read_text())) | {"tunesmith-sdk"}
    wanted = ["-e", f"{ROOT}[all]"]
    for name, folder in folders().items():
        if name in named:
            wanted += ["-e", str(folder)]
        elif test:
            runtime = name not in LARGE and re.search(r"^runtime\s*=", (folder / "pyproject.toml").read_text(), re.M)
            wanted += ["-e", f"{folder}[runtime]" if runtime else str(folder)]
    if test:
        wanted += ["-r", str(ROOT / "tools" / "requirements-test.txt")]
    return wanted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="store_true", help="all that is here, and what the tests need")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="where (default: .venv)")
    args = parser.parse_args()
    wanted = requirements(args.test)
    inputs = [folder / "pyproject.toml" for folder in (ROOT, *folders().values())] + sorted((ROOT / "tools").glob("*.txt"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + repr(wanted).encode()).hexdigest()
    stamp = args.venv / (".installed-test" if args.test else ".installed")
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    python = args.venv / "bin" / "python"
    if not python.exists():
        print(f"creating {args.venv}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", args.venv], check=True)
    uv = args.venv / "bin" / "uv"
    if not uv.exists():
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=False)
    arguments = ["--quiet", "-c", CONSTRAINTS, *wanted]
    print(f"installing {wanted.count('-e')} distributions and what they run on", flush=True)
    by_uv = [uv, "pip", "install", "--python", python, *arguments]
    if not uv.exists() or subprocess.run(by_uv, env=os.environ | uv_variables(prefix=str(args.venv)), check=False).returncode:
        print("uv can't be had or could not do it: pip goes on", flush=True)
        subprocess.run([python, "-m", "pip", "install", *arguments], check=True)
    stamp.write_text(digest)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
