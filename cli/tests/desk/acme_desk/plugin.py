"""What the made-up plugin brings."""

from __future__ import annotations

from acme_desk.settings import BookSettings, EchoSettings, ServeSettings, ShorterSettings, TeachSettings, TiltSettings
from tunesmith.contracts import Input, Kind, Need, Provider, Slot, Verb
from tunesmith.hookspecs import hookimpl

AT = "acme_desk.providers:"
ROW = {"type": "object", "required": ["q", "a"], "properties": {"q": {"type": "string"}, "a": {"type": "string"}}}


@hookimpl
def model_loader():
    return Provider("shelf", "models on the shelf", AT + "Shelf", facts={"schemes": ["shelf"]}, produces=("model/text",))


@hookimpl
def dataset_format():
    return Provider(
        "pairs", "question and answer", AT + "Pairs", produces=("dataset/chat",), facts={"row": ROW, "aliases": {"q": ["query"]}}
    )


@hookimpl
def kind():
    return [
        Kind("objective", "what is learnt", "acme_desk.settings:TeachSettings"),
        Kind("diary", "writes down what happens", AT + "Book", listens="watch"),
    ]


@hookimpl
def diary():
    return Provider("book", "on paper", AT + "Book", settings=BookSettings)


@hookimpl
def objective():
    needs = (Need("adapter", "calm", "an echo is loud"),)  # nobody says whether it has that
    return [
        Provider("echo", "repeat what is said", AT + "Echo", settings=EchoSettings, accepts=("dataset/chat",), needs=needs),
        Provider("follow", "do as a guide does", AT + "Echo", settings=EchoSettings, accepts=("dataset/chat",), facts={"guided": True}),
    ]


@hookimpl
def adapter():
    return [
        Provider(
            "tilt",
            "tilts every letter",
            AT + "Tilt",
            settings=TiltSettings,
            accepts=("model/text",),
            produces=("adapter/tilt",),
            priority=5,
        ),
        Provider("whole", "changes everything", AT + "Tilt", accepts=("model/text",), produces=("model/text",)),
    ]


@hookimpl
def quantizer():
    return Provider(
        "shorter", "fewer letters", AT + "Shorter", settings=ShorterSettings, accepts=("model/text",), produces=("model/short",)
    )


@hookimpl
def evaluator():
    metrics = {"metrics": {"letters": {"better": "lower"}}}
    return [
        Provider("letters", "how many letters", AT + "Letters", accepts=("model/*",), facts=metrics),
        Provider("exact_words", "how many words", AT + "Words", accepts=("model/*",), facts={"metrics": {"words": {"better": "higher"}}}),
    ]


@hookimpl
def inference_backend():
    return Provider("kettle", "answers with its own name", AT + "Kettle", accepts=("model/*",), produces=("endpoint/openai",))


@hookimpl
def device_backend():
    return Provider("abacus", "beads", AT + "Abacus", facts={"torch": "cpu"})


@hookimpl
def verb():
    return [
        Verb(
            "teach", "teach a model something", "acme_desk.verbs:teach", settings=TeachSettings, kind="objective", promote=True,
            slots=(Slot("adapter", "adapter", "how the model changes"),), produces_of="adapter",
            inputs=(
                Input("model", "the model to teach", of="adapter"), Input("data", "the rows to learn from", of="objective"),
                Input("guide", "the model to follow", accepts=("model/*",), required=False, required_by="guided", read_by="guided"),
            ),
        ),
        Verb(
            "fold", "fold an adapter into its model", "acme_desk.verbs:fold", produces=("model/text",),
            inputs=(Input("model", "the adapter", accepts=("adapter/*",)),),
        ),
        Verb(
            "serve", "a model behind the OpenAI API", "acme_desk.verbs:serve", settings=ServeSettings, kind="inference_backend",
            inputs=(Input("model", "the model to serve", of="inference_backend"),), produces=("endpoint/openai",), converts="insert",
            service=True,
        ),
        Verb(
            "spell", "spell a model's name", "acme_desk.verbs:spell", produces=("report/tokens",),
            inputs=(
                Input("model", "the model", accepts=("model/*",)),
                Input("beside", "adapters of it", accepts=("adapter/*",), required=False, many=True),
            ),
        ),
    ]  # fmt: skip


@hookimpl
def cli_commands():
    return [
        ("desk", "look at the desk", "acme_desk.commands:desk"),
        ("drawer", "a command that can't be loaded", "acme_desk.absent:main"),
        ("spell backwards", "spell a model's name from its end", "acme_desk.commands:desk"),
    ]
