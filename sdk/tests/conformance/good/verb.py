"""A good minimal verb: a stamp."""

from tunesmith.contracts import Result


def run(step):
    step.check_cancelled()
    (step.work / "part").write_text("half")
    (step.output / "stamp.txt").write_text("stamped")
    return Result(format="document/stamp")
