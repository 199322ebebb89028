"""What the conformance kit can't know: what the program that serves asks of OpenVINO, of the conversion and of its own queue."""


def engine_request(case, engine):
    """How the pipeline would be made, in which format the weights are kept, and how many requests may be under way and how long."""
    from tunesmith_models import configuration
    from tunesmith_openvino.server.__main__ import options, pipeline_options
    from tunesmith_openvino.server.limits import longest

    asked = options(list(engine.command[3:]))
    made = pipeline_options(asked)
    length = longest(configuration(asked.model), asked.max_model_len)
    queue = asked.max_queued_requests
    return {"scheduler": dict(made.scheduler), "properties": dict(made.properties), "weights": asked.weight_format, "length": length,
            "queue": queue}  # fmt: skip
