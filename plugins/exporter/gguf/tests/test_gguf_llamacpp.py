"""llama.cpp itself, in the exporter's environment, says of a file of the real model what transformers says of its checkpoint."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from tunesmith_gguf.exporter import GgufExporter
from tunesmith_gguf.settings import GgufSettings
from tunesmith_sdk.testing.conversions import Conversions, divergence, expected
from tunesmith_sdk.testing.real_models import smollm2

pytestmark = pytest.mark.isolated
IDS = [[504, 3575, 282, 4649, 314, 7042, 30], [1, 9690, 198]]  # more than are read one by one, and fewer
ROPE_BASE = b"llama.rope.freq_base" + struct.pack("<I", 6)  # its key, and that a float32 follows


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return smollm2(tmp_path_factory.mktemp("smollm2"), "bfloat16").path


@pytest.fixture(scope="module")
def conversions(tmp_path_factory: pytest.TempPathFactory) -> Conversions:
    return Conversions("tunesmith_gguf", GgufExporter, GgufSettings, tmp_path_factory)


@pytest.mark.parametrize(("outtype", "within"), [("f32", 1e-4), ("q8_0", 0.02)])
def test_llama_cpp_says_what_the_checkpoint_does(conversions: Conversions, original: Path, outtype: str, within: float) -> None:
    found = divergence(expected(original, IDS), conversions.log_probs(conversions.export(original, outtype=outtype), IDS))
    print(f"{outtype}: {found:.6f} nats a token")
    assert 0 < found < within


def test_what_only_its_metadata_say_wrongly_is_seen(conversions: Conversions, original: Path, tmp_path: Path) -> None:
    """The numbers are right: in the parent's code it would be the parent."""
    made = conversions.export(original, outtype="q8_0")
    broken = shutil.copytree(made, tmp_path / "broken")
    data = bytearray((broken / "model.gguf").read_bytes())
    at = data.index(ROPE_BASE) + len(ROPE_BASE)
    data[at : at + 4] = struct.pack("<f", 500.0)
    (broken / "model.gguf").write_bytes(data)
    right = expected(original, IDS)
    whole, wrong = (divergence(right, conversions.log_probs(folder, IDS)) for folder in (made, broken))
    print(f"rope base 500: {wrong:.4f} nats a token, {whole:.4f} of the file as it was written")
    assert wrong > 5 * whole


def test_a_file_that_llama_cpp_can_not_read_is_left_to_the_other_way(conversions: Conversions, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + bytes(60))
    program = "import sys; from tunesmith_gguf.llamacpp import log_probs; print(log_probs(sys.argv[1], [[1, 2]]))"
    assert conversions.run(program, str(tmp_path)) == "None"
