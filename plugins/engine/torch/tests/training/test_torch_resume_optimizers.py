"""With every optimizer, interrupted training ends in the bytes of uninterrupted training; one of them killed as a process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tunesmith.contracts import Cancelled
from tunesmith_bitsandbytes_optim.optimizers import AdamW8, Lion8
from tunesmith_bitsandbytes_optim.settings import AdamW8Settings, Lion8Settings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_galore.apollo import Apollo
from tunesmith_galore.galore import Galore
from tunesmith_galore.settings import ApolloSettings, GaloreSettings
from tunesmith_lion.optimizer import Lion
from tunesmith_lion.settings import LionSettings
from tunesmith_schedule_free.optimizer import ScheduleFree
from tunesmith_schedule_free.settings import ScheduleFreeSettings
from tunesmith_torch.training.train import run
from tunesmith_torch_optim.adafactor import Adafactor
from tunesmith_torch_optim.muon import Muon
from tunesmith_torch_optim.settings import AdafactorSettings, MuonSettings, SGDSettings
from tunesmith_torch_optim.sgd import SGD

OPTIMIZERS = {
    "adafactor": lambda: Adafactor(AdafactorSettings()), "muon": lambda: Muon(MuonSettings()), "sgd": lambda: SGD(SGDSettings()),
    "lion": lambda: Lion(LionSettings()), "schedule-free": lambda: ScheduleFree(ScheduleFreeSettings()),
    "adamw-8bit": lambda: AdamW8(AdamW8Settings()), "lion-8bit": lambda: Lion8(Lion8Settings()),
    "galore": lambda: Galore(GaloreSettings(rank=8, update_proj_gap=3)), "apollo": lambda: Apollo(ApolloSettings(rank=8,
    update_proj_gap=3)),
}  # fmt: skip
IN_A_MOMENT = ("schedule-free", "galore")  #: an average, projections: what could go wrong
#: six steps, with a validation in their midst
SETTINGS = {
    "num_train_epochs": 3, "max_tokens_per_microbatch": 200, "save_steps": 2, "learning_rate": 1e-3, "validation_split": 0.1,
    "eval_steps": 3,
    "load_best_model_at_end": False,
}  # fmt: skip


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in IN_A_MOMENT)) for name in OPTIMIZERS])
def test_cancelled_and_resumed_is_bit_equal(bench, chat_rows, name):
    settings = {"rows": chat_rows[:9], "adapter": Full(FullSettings())}
    whole, result = bench.train(SETTINGS, name="whole", optimizer=OPTIMIZERS[name](), **settings)
    step = bench.step(SETTINGS, name="broken", optimizer=OPTIMIZERS[name](), **settings)
    checks = iter(range(8))

    def count() -> None:
        if next(checks, None) is None:
            raise Cancelled("broken")

    step.check_cancelled = count
    with pytest.raises(Cancelled):
        run(step)
    shutil.rmtree(step.output)  # as the worker does: an output is empty at the start
    resumed, again = bench.train(SETTINGS, name="broken", optimizer=OPTIMIZERS[name](), **settings)
    assert any("resumed at step" in p.get("message", "") for _, p in bench.notices)
    assert contents(resumed) == contents(whole)
    assert again == result


PROGRAM = """
import sys
from pathlib import Path
from conftest import Bench, chat_row_list
from test_torch_resume_optimizers import OPTIMIZERS, Full, FullSettings
bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]))
bench.train({settings!r}, rows=chat_row_list()[:9], adapter=Full(FullSettings()), optimizer=OPTIMIZERS["galore"](), name="killed")
"""


@pytest.mark.slow
def test_killed_with_projected_gradients_and_resumed_is_bit_equal(bench, chat_rows, tiny):
    settings = SETTINGS | {"num_train_epochs": 12}
    whole, _ = bench.train(settings, rows=chat_rows[:9], name="whole", adapter=Full(FullSettings()), optimizer=OPTIMIZERS["galore"]())
    output, work = bench.home / "killed" / "output", bench.home / "killed" / "work"
    here = Path(__file__).parents[1]
    for kills in range(3):
        shutil.rmtree(output, ignore_errors=True)
        command = [sys.executable, "-c", PROGRAM.format(settings=settings), str(bench.home), str(tiny)]
        process = subprocess.Popen(
            command, cwd=here, env=os.environ | {"PYTHONPATH": os.pathsep.join((str(here), str(Path(__file__).parent)))}
        )
        if kills < 2:
            threading.Thread(target=kill_after_a_checkpoint, args=(process, work)).start()
            assert process.wait() == -signal.SIGKILL
    assert process.wait() == 0
    assert contents(output) == contents(whole)


def kill_after_a_checkpoint(process: subprocess.Popen, work: Path) -> None:
    """Kill `process` once its training has saved something new."""
    before = set((work / "checkpoints").glob("step-*"))
    while process.poll() is None and set((work / "checkpoints").glob("step-*")) <= before:
        threading.Event().wait(0.005)
    process.kill()
