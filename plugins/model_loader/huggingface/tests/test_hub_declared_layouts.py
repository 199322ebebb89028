"""A repository in a format that an installed plugin declares: told by its names or its config, and fetched whole."""

import json

CONFIG = b'{"model_type": "llama", "hidden_size": 8}'
FACTS = {
    "layouts": [{"acme/tilt": {"files": ["tilt/graph.bin"], "also": ["tilt/graph_*"]}}, {"acme/packed": {"config": ["packing.bits"]}}],
}  # fmt: skip


def test_a_format_is_told_by_the_names_of_files_and_what_belongs_to_it_is_fetched(hub, loader, step):
    hub.add("org/tilt", {"config.json": CONFIG, "tilt/graph.bin": b"1" * 9, "tilt/graph_2": b"2", "tilt/other": b"3"})
    step.facts = FACTS
    info = loader().resolve("hf://org/tilt", step)
    assert (info.format, info.config["hidden_size"]) == ("acme/tilt", 8)
    step.facts = {}  # as when it is fetched
    loader().fetch(info, step.output, step)
    assert {path.relative_to(step.output).as_posix() for path in step.output.rglob("*") if path.is_file()} == {
        "config.json", "tilt/graph.bin", "tilt/graph_2"
    }  # fmt: skip


def test_a_checkpoint_is_told_by_its_config(hub, loader, step, safetensors):
    packed = json.dumps({**json.loads(CONFIG), "packing": {"bits": 4}}).encode()
    hub.add("org/packed", {"config.json": packed, "model.safetensors": safetensors(10)})
    assert loader().resolve("hf://org/packed", step).format == "model/hf"
    step.facts = FACTS
    info = loader().resolve("hf://org/packed", step)
    assert info.format == "acme/packed"
    step.facts = {}
    loader().fetch(info, step.output, step)
