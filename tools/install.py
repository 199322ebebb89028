"""Make the environment: `python3 tools/install.py [--test] [--venv DIR]`.

Installs the kernel, the sdk and every plugin of this repository (editable, with what they run on; trackers only with --test) into
`.venv`, at the versions of tools/constraints.txt. uv does the work, told of pip's own settings; where uv can't be had, pip does.
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


def distributions(test: bool) -> list[Path]:
    """Folders of this repository's distributions, the kernel first."""
    patterns = ["core", "cli", "sdk", "plugins/*/*"] + (["contrib/*"] if test else [])
    found = [path.parent for pattern in patterns for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))]
    return [folder for folder in found if test or folder.parent.name != "tracker"]  # installed, a tracker is told of every run


def requirements(test: bool) -> list[str]:
    """What to install; a plugin that prefers an environment of its own comes without what it runs on."""
    wanted: list[str] = []
    for folder in distributions(test):
        text = (folder / "pyproject.toml").read_text()
        runtime = re.search(r"^runtime\s*=", text, re.M) and not re.search(r'^prefer\s*=\s*"isolated"', text, re.M)
        wanted += ["-e", f"{folder}[runtime]" if runtime else str(folder)]
    if test:
        wanted += ["-r", str(ROOT / "tools" / "requirements-test.txt")]
    return wanted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="store_true", help="also what the tests need")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="where (default: .venv)")
    args = parser.parse_args()
    wanted = requirements(args.test)
    inputs = [folder / "pyproject.toml" for folder in distributions(args.test)] + sorted((ROOT / "tools").glob("*.txt"))
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
    print(f"installing {len(distributions(args.test))} distributions and what they run on", flush=True)
    by_uv = [uv, "pip", "install", "--python", python, *arguments]
    if not uv.exists() or subprocess.run(by_uv, env=os.environ | uv_variables(prefix=str(args.venv)), check=False).returncode:
        print("uv can't be had or could not do it: pip goes on", flush=True)
        subprocess.run([python, "-m", "pip", "install", *arguments], check=True)
    stamp.write_text(digest)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
