"""Where the processes of a step meet; one process has a group of its own, though there is nobody to meet."""

from __future__ import annotations

from pathlib import Path

import torch

from tunesmith.contracts import Placement
from tunesmith_torch.api.processes import ProcessGroup


def test_one_process_meets_nobody_and_sums_alone():
    group = ProcessGroup()
    mesh = group.joined(Placement(), backend="auto", timeout=10.0)
    try:
        assert (mesh.data_rank, mesh.data_size) == (0, 1)
        assert float(group.sum(torch.tensor(2.5))) == 2.5
        assert group.any(True)
        group.barrier()
    finally:
        group.finish()


def test_processes_meet_in_a_folder_whatever_its_name(tmp_path: Path):
    folder = tmp_path / "a folder # 100%41 ü?"
    folder.mkdir()
    group = ProcessGroup()
    group.joined(Placement(rendezvous=f"file://{folder / 'rendezvous'}"), backend="auto", timeout=10.0)
    found = [path.name for path in folder.iterdir()]
    group.finish()
    assert found == ["rendezvous"]
