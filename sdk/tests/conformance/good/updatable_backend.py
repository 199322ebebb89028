"""A good minimal backend that is updatable: it knows by heart what the kit's model says with each adapter. A fake, and so named."""

import json
import math
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tunesmith_sdk.conformance.materials.tiny_policies import TEMPERATURE, TOLD, WHOLE
from tunesmith_serve.updatable import EngineFailed, SampledCompletion


class Reciter(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Provider:
    def __init__(self):
        self.distance, self.takes = {"float32": 1e-3}, ("adapter/peft", "model/hf")

    def serve(self, model, name, address, step):
        server = ThreadingHTTPServer((address.host, address.port), Reciter)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        step.ready(url=f"http://{address.host}:{server.server_address[1]}/v1", model=name, dtype="float32")
        step.wait_cancelled()
        server.shutdown()

    def load(self, url, weights, version):
        told = json.loads((weights.path.parent / TOLD).read_text())
        self.known = dict(zip(map(tuple, told["prompts"]), told["log_probs"][weights.path.name.removesuffix(WHOLE)], strict=True))
        self.version = version

    sleeps, asleep = True, False

    def sleep(self, url):
        self.asleep = True

    def wake(self, url):
        self.asleep = False

    def complete(self, url, prompts, seeds, options):
        if self.asleep:
            raise EngineFailed("it sleeps")
        assert options.temperature == TEMPERATURE
        return [
            [self.one(prompt, random.Random(f"{seed} {n}"), options) for n in range(options.n)]
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]

    def one(self, prompt, die, options):
        logs = self.known[tuple(prompt)]
        token = die.choices(range(len(logs)), [math.exp(log) for log in logs])[0]
        return SampledCompletion(self.version, [token], [logs[token]], token in options.stop_token_ids)
