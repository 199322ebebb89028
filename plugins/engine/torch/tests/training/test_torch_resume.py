"""Interrupted training ends in the bytes of uninterrupted training."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Cancelled, Placement
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.checkpoint.storage import ADAPTER, OBJECTIVE, Checkpoints
from tunesmith_torch.training.train import run

ADAPTERS = {"lora": lambda: Lora(LoraSettings(r=4, lora_dropout=0.3)), "full": lambda: Full(FullSettings())}
SETTINGS = {"num_train_epochs": 3, "max_tokens_per_microbatch": 90, "save_steps": 2, "learning_rate": 1e-3}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def interrupted(bench, rows, name: str, adapter, checks: int) -> None:
    """Run until cancellation has been asked about `checks` times."""
    step = bench.step(SETTINGS, rows=rows, name=name, adapter=adapter)

    def count() -> None:
        nonlocal checks
        checks -= 1
        if checks < 0:
            raise Cancelled(name)

    step.check_cancelled = count
    with pytest.raises(Cancelled):
        run(step)
    shutil.rmtree(step.output)  # as the worker does: an output is empty at the start


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_cancelled_twice_and_resumed_is_bit_equal(bench, chat_rows, adapter):
    whole, result = bench.train(SETTINGS, rows=chat_rows, name="whole", adapter=ADAPTERS[adapter]())
    for checks in (11, 17):
        interrupted(bench, chat_rows, "broken", ADAPTERS[adapter](), checks)
    resumed, again = bench.train(SETTINGS, rows=chat_rows, name="broken", adapter=ADAPTERS[adapter]())
    assert contents(resumed) == contents(whole)
    assert again == result
    assert any("resumed at step" in p.get("message", "") for _, p in bench.notices)
    assert any(str(p.get("what", "")).startswith("goes on from step ") for _, p in bench.notices)


def test_a_broken_checkpoint_is_passed_over_for_the_one_before(bench, chat_rows):
    whole, _ = bench.train(SETTINGS, rows=chat_rows, name="whole")
    interrupted(bench, chat_rows, "broken", Lora(LoraSettings(r=4, lora_alpha=8.0)), 25)
    newest = sorted((bench.home / "broken" / "work" / "checkpoints").glob("step-*"))[-1]
    weights = newest / "parameters" / "whole.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    resumed, _ = bench.train(SETTINGS, rows=chat_rows, name="broken")
    assert contents(resumed) == contents(whole)
    assert any("broken and was passed over" in p.get("message", "") for _, p in bench.notices)


def test_when_checkpoints_are_made_has_no_influence(bench, chat_rows):
    often, _ = bench.train(SETTINGS | {"save_steps": 1}, rows=chat_rows, name="often")
    never, _ = bench.train(SETTINGS | {"save_steps": 0, "save_seconds": 0.0}, rows=chat_rows, name="never")
    assert contents(often) == contents(never)
    assert len(list((bench.home / "often" / "work" / "checkpoints").glob("step-*"))) == 2
    assert not (bench.home / "never" / "work" / "checkpoints").exists()


def test_other_rows_do_not_continue_a_checkpoint(bench, chat_rows):
    interrupted(bench, chat_rows, "broken", Lora(LoraSettings(r=4, lora_alpha=8.0)), 25)
    resumed, _ = bench.train(SETTINGS, rows=chat_rows[:10], name="broken")
    fresh, _ = bench.train(SETTINGS, rows=chat_rows[:10], name="fresh")
    assert contents(resumed) == contents(fresh)


def checkpoints(directory: Path, keep: int) -> Checkpoints:
    return Checkpoints(directory, keep=keep, log=lambda line: None, ranks=Ranks(Placement(), None))


def writing(**tensors):
    return lambda directory: save_file(tensors, directory / "whole.safetensors")


class Together:
    """Two ranks in threads; the second is slow to go on after each meeting."""

    def __init__(self, rank: int, meeting: threading.Barrier, said: list[bool]) -> None:
        self.rank, self.meeting, self.said = rank, meeting, said

    def barrier(self) -> None:
        self.meeting.wait(30)
        time.sleep(0.2 * self.rank)

    def any(self, said: bool) -> bool:
        self.said[self.rank] = said
        self.meeting.wait(30)
        found = any(self.said)
        self.meeting.wait(30)
        return found


def test_a_checkpoint_of_a_fast_and_a_slow_rank_comes_back(tmp_path):
    meeting, said, found = threading.Barrier(2), [False, False], {}

    def work(rank: int) -> None:
        ranks = Ranks(Placement(rank=rank, processes=2), Together(rank, meeting, said))
        saved = Checkpoints(tmp_path, keep=1, log=lambda line: None, ranks=ranks)
        saved.save(2, lambda directory: save_file({"w": torch.ones(rank + 1)}, directory / f"{rank}.safetensors"), {}, {})
        found[rank] = saved.newest()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[rank].step for rank in (0, 1)] == [2, 2]
    told = json.loads((tmp_path / "step-00000002" / "state.json").read_text())
    assert set(told["files"]) == {"parameters/0.safetensors", "parameters/1.safetensors"}


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    saved, kept = checkpoints(tmp_path, 1), {"w": torch.randn(4, 5)}
    assert saved.newest() is None
    saved.save(
        3, writing(**kept), {ADAPTER: {"ranks": torch.tensor(3.0)}, OBJECTIVE: {"mean": torch.tensor(0.5)}}, {"history": [{"loss": 0.1}]}
    )
    found = saved.newest()
    assert (found.step, found.state) == (3, {"history": [{"loss": 0.1}]})
    torch.testing.assert_close(load_file(found.parameters / "whole.safetensors"), kept, rtol=0, atol=0)
    torch.testing.assert_close(found.tensors(ADAPTER), {"ranks": torch.tensor(3.0)}, rtol=0, atol=0)
    torch.testing.assert_close(found.tensors(OBJECTIVE), {"mean": torch.tensor(0.5)}, rtol=0, atol=0)


@pytest.mark.parametrize("damage", ["state.json", "parameters/whole.safetensors", "adapter.safetensors"])
@pytest.mark.parametrize("length", [0, 10])
def test_torn_files_are_not_read(tmp_path, damage, length):
    saved = checkpoints(tmp_path, 3)
    for step in (1, 2):
        saved.save(step, writing(w=torch.full((3,), float(step))), {ADAPTER: {"at": torch.tensor(float(step))}}, {})
    file = tmp_path / "step-00000002" / damage
    file.write_bytes(file.read_bytes()[:length])
    assert saved.newest().step == 1


JUDGED = """
import sys
from pathlib import Path
from conftest import Bench, judged_row_list
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]))
bench.train({settings!r}, rows=judged_row_list(), objective=KahnemanTversky(UtilitySettings()), name="killed")
"""

PROGRAM = """
import sys
from pathlib import Path
from conftest import Bench, chat_row_list
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]))
bench.train({settings!r}, rows=chat_row_list(), adapter=Lora(LoraSettings(r=4, lora_dropout=0.3)), name="killed")
"""


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_is_bit_equal(bench, chat_rows, tiny):
    settings = SETTINGS | {"num_train_epochs": 40, "save_steps": 3, "validation_split": 0.2, "eval_steps": 7}
    whole, _ = bench.train(settings, rows=chat_rows, name="whole", adapter=ADAPTERS["lora"]())
    seen = killed_until_done(bench, tiny, PROGRAM.format(settings=settings), at_most=6)
    assert len(seen) >= 3
    assert contents(bench.home / "killed" / "output") == contents(whole)


@pytest.mark.slow
def test_an_objective_with_a_baseline_that_is_killed_ends_in_the_same_bytes(bench, tiny, judged_rows):
    settings = SETTINGS | {"num_train_epochs": 8, "save_steps": 3}
    whole, _ = bench.train(settings, rows=judged_rows, objective=KahnemanTversky(UtilitySettings()), name="whole")
    seen = killed_until_done(bench, tiny, JUDGED.format(settings=settings), at_most=3)
    assert seen
    assert contents(bench.home / "killed" / "output") == contents(whole)


def test_a_running_mean_goes_on_after_an_interruption(bench, preference_rows):
    """Of `bco_pair`, whose state is in the checkpoint."""
    given = {"rows": preference_rows, "objective": DirectPreference(PreferenceSettings(loss_type="bco_pair"))}
    whole, result = bench.train(SETTINGS, name="whole", **given)
    step, checks = bench.step(SETTINGS, name="broken", **given), 30

    def count() -> None:
        nonlocal checks
        checks -= 1
        if checks < 0:
            raise Cancelled("broken")

    step.check_cancelled = count
    with pytest.raises(Cancelled):
        run(step)
    shutil.rmtree(step.output)
    resumed, again = bench.train(SETTINGS, name="broken", **given)
    assert any("resumed at step" in p.get("message", "") for _, p in bench.notices)
    assert contents(resumed) == contents(whole)
    assert again == result


def killed_until_done(bench, tiny, program: str, *, at_most: int) -> set[str]:
    """Run a program that trains `killed` again and again, killed so often while it trains; the checkpoints that were seen."""
    chance = random.Random(5)
    output, work = bench.home / "killed" / "output", bench.home / "killed" / "work"
    kills, seen = 0, set()
    while True:
        shutil.rmtree(output, ignore_errors=True)
        command = [sys.executable, "-c", program, str(bench.home), str(tiny)]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[1], env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])})
        if kills < at_most:
            killer = threading.Thread(target=kill_in_training, args=(process, work, chance.uniform(0.05, 0.4)))
            killer.start()
        status = process.wait()
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        seen |= {path.name for path in (work / "checkpoints").glob("step-*")}
    assert kills >= at_most / 2
    return seen


def kill_in_training(process: subprocess.Popen, work: Path, delay: float) -> None:
    """Kill `process` a moment after its training has saved something new."""
    before = set((work / "checkpoints").glob("*"))
    while process.poll() is None and set((work / "checkpoints").glob("*")) <= before:
        time.sleep(0.005)
    time.sleep(delay)
    process.kill()
