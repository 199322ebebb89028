"""A good minimal model loader: directories of this machine."""

import hashlib
import shutil
from pathlib import Path

from tunesmith.contracts import ModelInfo, TunesmithError, UserError


class Provider:
    def resolve(self, uri, step):
        folder = Path(uri.partition("://")[2])
        if not folder.is_dir():
            raise UserError("TS-MODEL-001", f"there is no {folder}", fix="Name a directory.")
        files = {path.name: {"size": path.stat().st_size, "sha256": sha256(path)} for path in sorted(folder.iterdir())}
        revision = hashlib.sha256(repr(files).encode()).hexdigest()
        return ModelInfo(uri, revision, "model/hf", files, fetch={"path": str(folder)})

    def fetch(self, info, output, step):
        for name, entry in info.files.items():
            step.check_cancelled()
            shutil.copyfile(Path(info.fetch["path"], name), output / name)
            if sha256(output / name) != entry["sha256"]:
                raise TunesmithError("TS-MODEL-003", f"{name} is damaged", fix="Fetch it again.")
        (step.work / "part").write_text("half")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
