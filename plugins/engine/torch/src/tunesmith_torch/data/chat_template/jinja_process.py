"""Writes conversations by chat templates, in a process of its own: a template is a program of whoever made the model.

It can be given neither time nor memory without end, and nothing in Python takes them away from one that runs in the same process. Run as
a file, by `renderer.Renderer`: it reads a line of JSON with the host's ``sys.path`` and the limits, then requests, a line each, and answers
each with a line for every conversation. Nothing of Tunesmith is imported.
"""

import contextlib
import json
import signal
import sys
from datetime import datetime
from functools import lru_cache


def main():
    host = json.loads(sys.stdin.readline())
    sys.path[:] = host["path"]
    _limit_memory(host["bytes"])
    for line in sys.stdin:
        asked = json.loads(line)
        for variables in asked["conversations"]:
            signal.alarm(host["seconds"])  # its default action ends the process, whatever it is busy with
            answer = json.dumps(_answer(asked["template"], variables, host["characters"]))
            signal.alarm(0)
            print(answer, flush=True)  # those before one that ends the process are not lost


def _answer(template, variables, most):
    try:
        text, marks = _render(template, variables, most)
    except MemoryError:
        return {"error": "it takes too much memory", "unbounded": True}
    except Exception as error:  # templates raise whatever they like: jinja's errors, IndexError, TypeError
        return {"error": f"{error}" or type(error).__name__}
    return {"text": text, "marks": marks} if text is not None else {"error": f"it writes more than {most:,} characters", "unbounded": True}


def _render(template, variables, most):
    compiled, tracker = _compiled(template)
    pieces, length = [], 0
    tracker.marks, tracker.written = [], lambda: sum(map(len, pieces))
    for piece in compiled.generate(**variables):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            return None, []
    return "".join(pieces), tracker.marks


def _limit_memory(most):
    with contextlib.suppress(ImportError, OSError, ValueError):  # not everywhere
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@lru_cache(maxsize=8)
def _compiled(template):
    """As transformers sets jinja up for templates: line breaks after blocks left out, and the same few functions."""
    import jinja2
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """``{% generation %}`` encloses what the assistant says; where that lies in the text is kept in `marks`."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

        def _said(self, caller):
            said, start = caller(), self.written()
            self.marks.append((start, start + len(said)))
            return said

    class Dictionary:
        def __call__(self, *args, **kwargs):
            return dict(*args, **kwargs)

        def fromkeys(self, *args, **kwargs):
            return dict.fromkeys(*args, **kwargs)

    class Namespace(jinja2.utils.Namespace):
        def __init__(*args, **kwargs):
            attributes = dict(*args[1:], **kwargs)
            for name in attributes:
                _refuse_private(name)
            jinja2.utils.Namespace.__init__(args[0], attributes)

        def __setitem__(self, name, value):
            _refuse_private(name)
            jinja2.utils.Namespace.__setitem__(self, name, value)

    def _refuse_private(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(f"a namespace can't have an attribute {name!r}")

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals.update(
        raise_exception=raise_exception, strftime_now=lambda form: datetime.now().strftime(form), dict=Dictionary(), namespace=Namespace
    )
    tracker = next(extension for extension in environment.extensions.values() if isinstance(extension, Generation))
    return environment.from_string(template), tracker


if __name__ == "__main__":
    main()
