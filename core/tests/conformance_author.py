"""What the conformance kit can't know: how a loader uses what the kernel's verb `download` hands on to it."""

import hashlib
import json


class FakeLoader:
    """Brings the files that are listed; their bytes follow from where they come from."""

    def fetch(self, info, output, step):
        place = json.dumps([info.uri, info.revision, dict(info.fetch), info.directory])
        for name in ("weights", *info.files):
            (output / name).write_text(hashlib.sha256(f"{place} {name}".encode()).hexdigest())


def scene(case, setting, step, build):
    """The files that arrive, and what the artifact says of itself."""
    from tunesmith.verbs import download
    from tunesmith_sdk.local_step import LocalStep

    step = LocalStep.make(case.directory, settings=build(), providers={"model_loader": FakeLoader()})
    result = download.run(step)
    files = {path.name: path.read_text() for path in sorted(step.output.iterdir())}
    return {"files": files, "artifact": f"of the format `{result.format}`", "config": result.meta.get("config")}
