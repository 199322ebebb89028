"""What the conformance kit can't know: a reward model, and a server that has one."""

from pooling_server import pooling_server


def settings(case):
    from tunesmith_sdk.testing.scoring_models import drawn_head, with_head

    base = case.material("taught")
    yield {"path": str(with_head(base, case.directory / "judge", "reward", drawn_head(base, 1)).path)}


def scene(case, setting, step, build):
    """A served model that fails at first, and takes its time: what comes of twenty completions, and how they were asked."""
    from tunesmith.errors import TunesmithError

    with pooling_server(failures=2 if setting == "max_retries" else 0, wait=0.5 if setting == "timeout" else 0.05) as (
        url,
        seen,
        under_way,
    ):
        changes = {"path": ""} if setting == "url" else {"path": "", "url": url}
        try:
            found = build(**changes).score_batch(["q"] * 20, ["a" * n for n in range(20)], [{}] * 20)
        except TunesmithError as error:
            found = error.code
        return found, sorted({asked["model"] for asked in seen}), under_way[1] if setting == "concurrency" else 0
