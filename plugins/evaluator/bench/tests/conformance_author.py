"""What the conformance kit can't know: what an endpoint sees of a load, and that none of its answers fails."""

import itertools
import statistics

from noting_server import NotingServer, serving

from tunesmith.contracts import Artifact
from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

SOON, SLOW = 0.01, {"concurrency": 0.05, "rate": 0.2}  #: seconds of an answer, where requests are to meet


def examinee(case, rows, good):
    with scripted_endpoint({}, case.directory) as endpoint:
        yield endpoint


def known_answers(case):
    rows = [{"messages": [message("user", "Who?"), message("assistant", "Nobody.")]}]
    with scripted_endpoint({"Who?": "It was the butler in the pantry."}, case.directory) as endpoint:
        yield endpoint, rows, {"failed": 0.0}


def scene(case, setting, step, build):
    """How many requests there were, how many at the same time, whether they came evenly, or what they asked for: what of it the setting is
    about."""
    server = NotingServer(first=SLOW.get(setting, SOON))
    with serving(server) as url:
        build().evaluate(Artifact("endpoint/openai", case.directory, meta={"url": url, "model": "noted"}), None, step)
    if setting == "shared_prefix":
        return {"beginnings": len({body["messages"][0]["content"][:20] for body in server.bodies[2:]}) > 1}
    if setting == "model":
        return {"model": server.bodies[-1]["model"]}
    if setting in ("ignore_eos", "temperature"):
        return {"fields": sorted(server.bodies[-1])}
    gaps = [after - before for before, after in itertools.pairwise(server.at[2:])]  # two asked how long words are
    if setting == "arrival":  # the usual gap, for a busy machine delays some; of drawn ones a fifth are near their median
        usual = statistics.median(gaps)
        return {"evenly": statistics.mean(0.7 < gap / usual < 1.3 for gap in gaps) > 0.5}
    return {"many at a time": server.most > 3} if setting in SLOW else {"asked": round(len(server.at), -1)}
