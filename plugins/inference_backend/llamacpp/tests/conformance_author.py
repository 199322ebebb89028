"""What the conformance kit can't know: what the program that serves asks of llama.cpp."""


def engine_request(case, engine):
    """The parameters that llama.cpp's server is started with, and how many requests at a time are let through to it."""
    import xllamacpp

    from tunesmith_llamacpp.server.__main__ import options
    from tunesmith_llamacpp.server.llama_server import start

    asked, started, server = options(list(engine.command[3:])), [], xllamacpp.Server
    xllamacpp.Server = started.append
    try:
        start(asked)
    finally:
        xllamacpp.Server = server
    (parameters,) = started
    return {"parallel": asked.parallel, **_fields(parameters), "threads": _fields(parameters.cpuparams)}


def _fields(thing):
    """Its numbers, texts and enumerations."""
    values = {name: getattr(thing, name) for name in dir(thing) if not name.startswith("_")}
    return {name: str(value) for name, value in values.items() if isinstance(value, (int, float, str))}
