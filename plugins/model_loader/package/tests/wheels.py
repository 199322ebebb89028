"""Wheels that hold a model, made in a moment."""

import base64
import hashlib
import json
import struct
import zipfile
from pathlib import Path


def model_files(size: int = 12) -> dict[str, bytes]:
    header = {"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    text = json.dumps(header).encode()
    weights = struct.pack("<Q", len(text)) + text + hashlib.shake_256(b"weights").digest(size)
    return {"config.json": b'{"model_type": "llama", "hidden_size": 8}', "model.safetensors": weights}


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes], damage: str = "") -> Path:
    """A wheel with `files`; the RECORD's hash of the file `damage` is wrong."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    files = files | {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
                     f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}  # fmt: skip
    record = ""
    for path, content in files.items():
        digest = hashlib.sha256(content + (b"!" if path == damage else b"")).digest()
        record += f"{path},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{len(content)}\n"
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in (files | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(path, content)
    return wheel


def shelve(folder: Path, *versions: str) -> None:
    """Put ``tiny-model`` of some versions into a directory; its code must not be run."""
    for version in versions:
        inside = {f"tiny_model/weights/{name}": data for name, data in model_files().items()}
        write_wheel(folder, "tiny-model", version, inside | {"tiny_model/__init__.py": b"raise SystemExit('imported')"})
