"""A good minimal executor: the ranks are processes of this machine, and end with whoever started them."""

from pathlib import Path

from tunesmith.contracts import Result
from tunesmith.contracts.kinds.environment_builder import Start
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.processes import Work, Workers
from tunesmith.running.worker.selector import SocketSelector


class Provider:
    def run(self, step, job, report):
        logs = job.directory / "logs"
        logs.mkdir(exist_ok=True)
        start = Start(tuple(job.command), {**job.environment})
        work = Work(job.name, job.entry, tuple(job.steps), logs, start, Path(job.steps[0]["work"]), tuple(job.secrets))
        sockets = SocketSelector()
        workers = Workers(work, LocalStarter(), sockets, report)
        try:
            workers.start()
            while not workers.done:
                if step.cancelled.is_set():
                    workers.cancel()
                sockets.pump(0.1)
                workers.tick()
            step.check_cancelled()
            return Result(**workers.result())
        finally:
            workers.close()
            sockets.close()
