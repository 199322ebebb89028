"""What a plan can say of rows and a chat template before the step: the first rows are written as the step will write them."""

from __future__ import annotations

from importlib.util import find_spec

from tunesmith.contracts import EstimateRequest, TunesmithError, UserError
from tunesmith_torch.data.chat_template.eos_tokens import named_ends, unnamed_end
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer, encoded
from tunesmith_torch.data.tokenizer.template_tokenizer import TextTokenizer

_MEDIA = ("processor_config.json", "preprocessor_config.json")  # files of models that see or hear
BY_TEMPLATE, BY_TOKENIZER = "labels by the model's chat template", "texts by the model's tokenizer"
LATER = "before its weights are loaded; `tunesmith data preview` shows what is trained on"


def labels(request: EstimateRequest) -> tuple[tuple[str, str], tuple[str, ...]]:
    """The plan's decision on labels, and what it has to warn of. Plain texts meet no template.

    Raises:
        UserError: what the objective or the chat template says of one of the first rows; TS-DATA-030 without a template.
    """
    written, doubts = _written(request)
    plain = not any("messages" in row for row in request.rows) if request.rows else bool(request.parts.get("objective", {}).get("pieces"))
    what = BY_TOKENIZER if plain else BY_TEMPLATE
    if not written:
        return (what, f"each row is held against it once the model is here, {LATER}"), ()
    rows = f"the first {written} rows were" if written > 1 else "the first row was"
    warnings = tuple(f"{sentence} (in the first {written} rows)" for sentence in doubts)
    return (what, f"{rows} written with it now, as they will be trained on; each is held against it {LATER}"), warnings


def _written(request: EstimateRequest) -> tuple[int, list[str]]:
    """How many rows the template has written, and what is doubtful in them; none where that can't be tried here."""
    directory = request.directory
    if directory is None or not request.rows or request.provider is None or any((directory / name).is_file() for name in _MEDIA):
        return 0, []
    if find_spec("jinja2") is None:  # what writes by templates is in the step's isolated environment alone
        return 0, []
    try:
        objective = request.provider("objective")
    except UserError:
        raise
    except TunesmithError:  # it needs an isolated environment
        return 0, []
    chat = ChatTokenizer(TextTokenizer(directory), named_ends(directory))
    for number, row in enumerate(request.rows, 1):
        encoded(objective, row, chat, number)
    return len(request.rows), [*chat.label_warnings.sentences(), *filter(None, [unnamed_end(chat)])]
