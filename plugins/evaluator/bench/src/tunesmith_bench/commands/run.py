"""`tunesmith bench run URL|STEP`: measure a server that is up, or what a step serves."""

from __future__ import annotations

import asyncio
import json
import os
import re
from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import UserError
from tunesmith_cli.api import Command, columns, safe, safe_json, served_step, typed
from tunesmith_cli.api import gettext as _

if TYPE_CHECKING:
    from tunesmith_bench.benchmark import Benchmark
    from tunesmith_bench.results.result_file import Measurement

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}
_SEED: dict[str, Any] = {"type": "integer", "minimum": 0}
_SHARE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}
_MOST: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_POSITIVE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_HEAT: dict[str, Any] = {"type": "number", "minimum": 0}
CONCURRENCY = "1,2,4,8"
_HOST = re.compile(r"[\w.-]+:\d+(/|$)")  # an address that lacks its scheme


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("target", metavar="URL|STEP", help="http://127.0.0.1:8000/v1, or a step of a pipeline or an earlier command")
    parser.add_argument("--pipeline", metavar="FILE", help="where STEP is (default: earlier commands here, then ./tunesmith.yaml)")
    parser.add_argument("--served-model", default="", metavar="NAME", help="which model of the server (default: its first)")
    parser.add_argument("--api-key-env", default="", metavar="VARIABLE", help="environment variable that holds the server's key")
    load = parser.add_argument_group("load (one of these)")
    load.add_argument("--concurrency", metavar="N,N", help=f"so many requests at all times, a point each (default: {CONCURRENCY})")
    load.add_argument("--rate", metavar="X,X", help="so many requests a second, whether or not the server keeps up, a point each")
    load.add_argument("--find-rate", action="store_true", help="look for the highest rate that keeps --slo")
    how = parser.add_argument_group("how much")
    how.add_argument("--requests", type=typed(_COUNT), default=100, metavar="N", help="measured requests of a run (default: 100)")
    how.add_argument("--runs", type=typed(_COUNT), default=3, metavar="N", help="runs of a point (default: 3; fewer are marked)")
    how.add_argument(
        "--arrival", choices=("poisson", "constant"), default="poisson", help="how requests arrive at a rate (default: poisson)"
    )
    how.add_argument("--warm-up", type=typed(_COUNT), default=0, metavar="N", help="answers after which a warm-up ends at the latest")
    how.add_argument("--timeout", type=typed(_POSITIVE), default=600.0, metavar="SECONDS", help="for one answer (default: 600)")
    how.add_argument("--seed", type=typed(_SEED), default=0, metavar="N", help="of prompts, lengths and arrivals (default: 0)")
    what = parser.add_argument_group("what is asked")
    what.add_argument("--prompts", type=Path, metavar="FILE", help="prompts: lines of text, or .jsonl with `messages` or `prompt`")
    what.add_argument("--prompt-tokens", default="128", metavar="LENGTH", help="of made-up prompts: 128, normal:128:32, lognormal:128:64")
    what.add_argument("--output-tokens", default="64", metavar="LENGTH", help="longest answers, likewise (default: 64)")
    what.add_argument(
        "--shared-prefix", type=typed(_SHARE), default=0.0, metavar="SHARE", help="of made-up prompts that all have in common"
    )
    what.add_argument("--ignore-eos", action="store_true", help="ask the server to go on to the longest answer")
    what.add_argument("--temperature", type=typed(_HEAT), default=0.0, metavar="X", help="of the answers (default: 0)")
    what.add_argument("--tokenizer", type=Path, metavar="DIR", help="the model's, to count tokens by (default: what the server says)")
    judged = parser.add_argument_group("what is wanted")
    judged.add_argument("--slo", default="", metavar="BOUNDS", help="ttft=300ms,itl=50ms,e2e=5s: goodput counts the requests within")
    judged.add_argument("--slo-share", type=typed(_MOST), default=0.99, metavar="SHARE", help="of requests for --find-rate (default: 0.99)")
    out = parser.add_argument_group("output")
    out.add_argument("--json", action="store_true", help="print the measurement as JSON")
    out.add_argument("--save", type=Path, metavar="FILE.json", help="write it for `tunesmith bench compare`")
    out.add_argument("--html", type=Path, metavar="FILE.html", help="write it as a page with curves")


def run(args: Namespace) -> int:
    loads = check(args)
    with _server(args) as facts:
        measurement = measure(args, loads, str(facts["url"]), args.served_model or str(facts.get("model", "")))
    show(args, measurement)
    return 130 if measurement.interrupted else 0


def check(args: Namespace) -> list[Any]:
    """The loads of a sweep, and whether everything else can be used; before anything is started.

    Raises:
        UserError: what can't be.
    """
    from tunesmith_bench.results.point import Load
    from tunesmith_bench.results.slo import parse_slo
    from tunesmith_bench.workload.lengths import parse_length
    from tunesmith_bench.workload.prompts import read_prompts
    from tunesmith_bench.workload.token_counter import TokenCounter

    chosen = [flag for flag in ("concurrency", "rate", "find_rate") if getattr(args, flag)]
    if len(chosen) > 1:
        raise UserError("TS-CLI-006", "tunesmith bench measures one kind of load", fix="Give one of --concurrency, --rate and --find-rate.")
    slo = parse_slo(args.slo, args.slo_share)
    if args.find_rate and not slo.bounds:
        raise UserError("TS-BENCH-001", "--find-rate needs to know what is wanted of answers", fix="Add --slo ttft=300ms, for example.")
    if args.api_key_env and not os.environ.get(args.api_key_env):
        raise UserError("TS-BENCH-006", f"the environment variable {args.api_key_env} is not set", fix=f"export {args.api_key_env}=...")
    args.workload_lengths = (parse_length(args.prompt_tokens), parse_length(args.output_tokens))
    args.conversations = read_prompts(args.prompts) if args.prompts else ()
    args.counter = TokenCounter(args.tokenizer)
    for path in filter(None, (args.save, args.html)):
        if not path.resolve().parent.is_dir():
            raise UserError("TS-BENCH-007", f"there is no directory {path.resolve().parent}", fix="Make it first.")
        if path.is_dir():
            raise UserError("TS-BENCH-007", f"{path} is a directory", fix=f"Name a file: {path / 'bench'}.")
    if args.find_rate:
        return []
    if args.rate:
        return [Load(rate=rate, arrival=args.arrival) for rate in _numbers(args.rate, "--rate", float)]
    return [Load(concurrency=int(count)) for count in _numbers(args.concurrency or CONCURRENCY, "--concurrency", int)]


def _numbers(text: str, flag: str, kind: type) -> list[float]:
    try:
        found = [kind(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < value < 100_000 for value in found):
        raise UserError("TS-CLI-006", f"`{text}` is no list of loads above 0", fix=f"Write {flag} {CONCURRENCY}.")
    return sorted(set(found))


def _server(args: Namespace) -> AbstractContextManager[Any]:
    if "://" in args.target:
        if not args.target.startswith(("http://", "https://")):
            raise UserError("TS-CLI-002", f"{args.target} is no endpoint's address", fix="Write it as http://127.0.0.1:8000/v1.")
        return nullcontext({"url": args.target})
    if _HOST.match(args.target):
        raise UserError("TS-CLI-002", f"{args.target} is neither an address nor a step", fix=f"Write http://{args.target}.")
    return served_step(args.target, args.pipeline)


def measure(args: Namespace, loads: list[Any], url: str, model: str) -> Measurement:
    """Measure; Ctrl-C ends it, and what is there until then is the measurement."""
    from tunesmith_bench.commands.progress import Progress
    from tunesmith_bench.results.result_file import Measurement, client_facts

    progress = Progress()
    kept: dict[str, Any] = {"model": model}
    interrupted = False
    try:
        asyncio.run(_measured(args, loads, url, kept, progress))
    except KeyboardInterrupt:
        benchmark = kept.get("benchmark")
        if benchmark is None or not benchmark.points:
            raise
        interrupted = True
    finally:
        progress.clear()
    benchmark: Benchmark = kept["benchmark"]
    settings = {
        "prompts": args.prompts.name if args.prompts else None, "prompt_tokens": None if args.prompts else args.prompt_tokens,
        "output_tokens": args.output_tokens, "shared_prefix": args.shared_prefix, "ignore_eos": args.ignore_eos,
        "temperature": args.temperature, "requests": args.requests, "runs": args.runs, "slo": args.slo, "seed": args.seed,
    }  # fmt: skip
    server = {"url": url, "model": kept["model"]}
    return Measurement(server, settings, benchmark.counted_by, benchmark.points, kept.get("search"), interrupted, client_facts())


async def _measured(args: Namespace, loads: list[Any], url: str, kept: dict[str, Any], progress: Any) -> None:
    from tunesmith_bench.benchmark import Benchmark, Plan
    from tunesmith_bench.load.http_transport import HttpTransport
    from tunesmith_bench.rate_search import find_rate
    from tunesmith_bench.results.slo import parse_slo
    from tunesmith_bench.workload.calibration import calibrate
    from tunesmith_bench.workload.prompts import Workload

    key = os.environ.get(args.api_key_env, "") if args.api_key_env else ""
    async with HttpTransport(url, kept["model"], key, args.timeout, keep_text=args.counter.tokenizer is not None) as transport:
        transport.model = kept["model"] = kept["model"] or await first_model(transport)
        scale, answer = await calibrate(transport)
        if answer.error and not answer.pieces:
            fix = "See the server's log; the address is the API's base, as http://127.0.0.1:8000/v1."
            if args.served_model and args.served_model not in (known := await _models(transport)) and known:
                fix = f"Give --served-model one of its models: {', '.join(known)}."
            raise UserError("TS-BENCH-010", f"{url} does not answer a first question", why=answer.error, fix=fix)
        workload = Workload(*args.workload_lengths, args.shared_prefix, args.conversations, args.ignore_eos, args.temperature)
        plan = Plan(args.requests, args.runs, args.seed, args.warm_up, parse_slo(args.slo, args.slo_share))
        kept["benchmark"] = benchmark = Benchmark(transport, workload, args.counter, plan, progress, scale)
        if args.find_rate:
            kept["search"] = await find_rate(benchmark, arrival=args.arrival)
        else:
            await benchmark.sweep(loads)


async def first_model(transport: Any) -> str:
    """The name of the server's first model.

    Raises:
        UserError: TS-BENCH-010 when it does not say.
    """
    import aiohttp

    try:
        return str((await transport.models())[0])
    except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
        if isinstance(error, aiohttp.ClientConnectionError):
            fix = "Is the server up? `tunesmith serve --model URI` starts one and prints its address."
            raise UserError("TS-BENCH-010", f"no server answers at {transport.url}", why=why, fix=fix) from error
        if getattr(error, "status", 0) in (401, 403):
            fix = "It wants a key that it knows: --api-key-env names the environment variable that holds one."
            raise UserError("TS-BENCH-010", f"{transport.url} does not take this key, or asks for one", why=why, fix=fix) from error
        fix = "Is the address its API's base, as http://127.0.0.1:8000/v1? A model can be named by --served-model, a key by --api-key-env."
        raise UserError("TS-BENCH-010", f"{transport.url} does not say which models it has", why=why, fix=fix) from error


async def _models(transport: Any) -> list[str]:
    """Those that the server says it has; none if it does not."""
    import aiohttp

    try:
        return [str(name) for name in await transport.models()]
    except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError):
        return []


def show(args: Namespace, measurement: Measurement) -> None:
    """Print a measurement, and write the files that were asked for."""
    from tunesmith_bench.report.page import page_of
    from tunesmith_bench.results.table import counter_text, doubt_lines, point_rows, search_line

    if args.save:
        args.save.write_text(json.dumps(measurement.to_json(), indent=1), encoding="utf-8")
    if args.html:
        args.html.write_text(page_of(measurement), encoding="utf-8")
    if args.json:
        print(safe_json(measurement.to_json(), 2))
        return
    model, url = measurement.server["model"], measurement.server["url"]
    print(safe(_("{model} at {url}; tokens counted by {counter}", model=model, url=url, counter=counter_text(measurement)) + "\n"))
    print(columns(point_rows(measurement.points)))
    for line in doubt_lines(measurement.points):
        print(safe("  " + _("mind: {doubt}", doubt=line)))
    if measurement.search:
        print("\n" + safe(search_line(measurement.search)))
    if measurement.interrupted:
        print("\n" + _("Interrupted: this is what was measured until then."))


COMMAND = Command(
    "run", "measure a server that is up, or what a step serves", configure, run,
    (
        ("a server that is up, at 1, 4 and 16 requests at once", "tunesmith bench run http://127.0.0.1:8000/v1 --concurrency 1,4,16"),
        ("what this machine can carry", "tunesmith bench run api --find-rate --slo ttft=300ms --html rate.html"),
        ("to compare it later", "tunesmith bench run api --save before.json"),
    ),
)  # fmt: skip
