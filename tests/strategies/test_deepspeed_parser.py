"""DeepSpeed's own parser takes what each preset comes to, alone and with every setting changed, and understands it so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tunesmith_deepspeed.config import config_of
from tunesmith_deepspeed.presets import effective, presets
from tunesmith_deepspeed.settings import ZeroSettings

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
PROGRAM = Path(__file__).with_name("deepspeed_parser.py")
CHANGES = (
    {"stage": 1}, {"stage": 2}, {"stage": 3}, {"offload_optimizer": "none"}, {"offload_optimizer": "cpu"},
    {"stage": 3, "offload_param": "nvme", "offload_optimizer": "nvme", "nvme_path": "/local_nvme"}, {"overlap_comm": False},
    {"reduce_bucket_size": 77}, {"allgather_bucket_size": 79}, {"stage": 3, "zero_hpz_partition_size": 4},
    {"stage3_prefetch_bucket_size": 0}, {"stage3_param_persistence_threshold": 0}, {"stage3_max_live_parameters": 0},
    {"sub_group_size": 82}, {"config": {"zero_optimization": {"round_robin_gradients": True}}},
)  # fmt: skip


def test_deepspeed_takes_each_preset_and_each_change_of_it(environment):
    python, variables = environment("deepspeed", "sft", "full", "torch-optim")
    given = [
        config_of(effective(ZeroSettings(preset=name, **change)), trained=10**10, on_device=True)
        for name in (None, *presets())
        for change in ({}, *CHANGES)
    ]
    done = subprocess.run(
        [*python, str(PROGRAM)], input=json.dumps(given), env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    understood = json.loads(done.stdout)
    assert len(understood) == len(given) == 5 * 16
    for wanted, found in zip(given, understood, strict=True):
        for name, value in wanted["zero_optimization"].items():
            if isinstance(value, dict):
                assert {key: found[name][key] for key in value} == value
            else:
                assert found[name] == value, name
