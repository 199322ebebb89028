"""What the conformance kit can't know: how a loader uses what the kernel's verb `download` hands on to it, and which quantizer is taken for
what a model is for."""

import hashlib
import json


class FakeLoader:
    """Brings the files that are listed; their bytes follow from where they come from."""

    def fetch(self, info, output, step):
        place = json.dumps([info.uri, info.revision, dict(info.fetch), info.directory])
        for name in ("weights", *info.files):
            (output / name).write_text(hashlib.sha256(f"{place} {name}".encode()).hexdigest())


def scene(case, setting, step, build):
    """The files that arrive, and what the artifact says of itself; for `use`, who would quantize."""
    if setting == "use":
        return {"taken": quantizer(case.directory, build().use)}

    from tunesmith.verbs import download
    from tunesmith_sdk.local_step import LocalStep

    step = LocalStep.make(case.directory, settings=build(), providers={"model_loader": FakeLoader()})
    result = download.run(step)
    files = {path.name: path.read_text() for path in sorted(step.output.iterdir())}
    return {"files": files, "artifact": f"of the format `{result.format}`", "config": result.meta.get("config")}


def quantizer(folder, use):
    """Of those that are installed, the one that the planner takes for a use, and what it says of each."""
    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry
    from tunesmith_sdk.testing.plans import plan_on_a_laptop

    settings = f", settings: {{use: {use}}}" if use else ""
    (folder / "tunesmith.yaml").write_text(f"model: hf://acme/small\nsteps:\n  small: {{quantize: auto{settings}}}\n")
    plan = plan_on_a_laptop(folder / "tunesmith.yaml", load_registry(load_config(folder, home=folder / "home")))
    step = plan.steps[-1]
    return [step.choices["quantizer"].record.name, *(f"{one.words}: {one.verdict}" for one in step.alternatives)]
