"""A good minimal environment builder: wheels of pure Python, unpacked into virtual environments."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from tunesmith.contracts import Condition, Start
from tunesmith.errors import UserError

UNWANTED = ("PYTHONPATH", "PYTHONHOME")


@dataclass
class Built:
    path: Path
    packages: dict

    version = platform.python_version()

    @property
    def key(self):
        return self.path.name

    @property
    def python(self):
        return str(self.path / "bin" / "python")

    @property
    def size(self):
        return sum(file.lstat().st_size for file in self.path.rglob("*") if file.is_file())


class Provider:
    def open(self, directory, offline, find_links):
        return Environments(directory, find_links)


class Environments:
    def __init__(self, directory, folders):
        self.directory, self.folders = directory, folders

    def locked(self, recipe):
        try:
            return json.loads((self.directory / f"{recipe.digest}.json").read_text())
        except OSError:
            return None

    def key(self, recipe):
        lock = self.locked(recipe)
        return hashlib.sha256(json.dumps([lock, recipe.accelerator]).encode()).hexdigest()[:16] if lock else None

    def lock(self, recipe, watch):
        watch.check()
        files = {path: path.name.split("-") for folder in self.folders for path in Path(folder).glob("*.whl")}
        lock = {}
        for line in recipe.requirements:
            wanted = Requirement(line)
            fitting = [(Version(n[1]), str(p)) for p, n in files.items() if n[0] == wanted.name and wanted.specifier.contains(n[1])]
            if not fitting:
                raise UserError("ACME-ENV-001", f"no wheel is {line}", fix="Put one into a folder that find_links names.")
            lock[wanted.name] = [str(max(fitting)[0]), max(fitting)[1]]
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / f"{recipe.digest}.json").write_text(json.dumps(lock))

    def all(self):
        markers = self.directory.glob("*/marker.json")
        return [
            Built(marker.parent, {name: version for name, (version, _) in json.loads(marker.read_text()).items()}) for marker in markers
        ]

    def ready(self, recipe):
        key = self.key(recipe)
        built = next((one for one in self.all() if one.key == key), None)
        return built if built and not self.verify(built) else None

    def verify(self, built):
        marker = built.path / "marker.json"
        wheels = [wheel for _, wheel in json.loads(marker.read_text()).values()] if marker.exists() else []
        (site,) = built.path.glob("lib/python*/site-packages")
        return [f"{name} is gone" for wheel in wheels for name in zipfile.ZipFile(wheel).namelist() if not (site / name).exists()]

    def ensure(self, recipe, watch):
        if self.locked(recipe) is None:
            self.lock(recipe, watch)
        watch.check()
        built = self.ready(recipe)
        if built is None:
            built = Built(self.directory / self.key(recipe), {name: version for name, (version, _) in self.locked(recipe).items()})
            shutil.rmtree(built.path, ignore_errors=True)
            venv.create(built.path, symlinks=True)
            (site,) = built.path.glob("lib/python*/site-packages")
            for _, wheel in self.locked(recipe).values():
                watch.check()
                zipfile.ZipFile(wheel).extractall(site)
            self.probe(built, recipe)
            (built.path / "marker.json").write_text(json.dumps(self.locked(recipe)))
        else:
            self.probe(built, recipe)
        return built

    def probe(self, built, recipe):
        for probe in recipe.probes:
            module, _, function = probe.partition(":")
            start = self.start(built, recipe)
            variables = {name: value for name, value in os.environ.items() if name not in start.without}
            code = f"import {module}; {module}.{function}()"
            done = subprocess.run([built.python, "-c", code], env={**variables, **start.environment}, capture_output=True, check=False)
            if done.returncode:
                raise UserError("ACME-ENV-002", f"the probe {probe} failed", fix="See what it printed.")

    def start(self, built, recipe):
        code = hashlib.sha256(str(recipe.packages).encode()).hexdigest()[:16]
        folder = self.directory / f"code-{code}"
        folder.mkdir(exist_ok=True)
        for name, path in recipe.packages.items():
            link = folder / (path.name if path.is_file() else name)
            if not link.exists():
                link.symlink_to(path)
        return Start((built.python, "-m", "tunesmith.isolation.worker"), {"PYTHONPATH": str(folder)}, UNWANTED)

    def examine(self, recipe):
        key = self.key(recipe)
        there = [one for one in self.all() if one.key == key]
        if not there:
            return Condition("it is not built yet", "Run what needs it.")
        wrong = self.verify(there[0])
        return Condition(f"it is damaged: {wrong[0]}", "The next run builds it anew.", True) if wrong else Condition("it is well")
