"""What tunesmith-multimodal brings: the dataset formats `vqa`, `captioning`, `ocr`, `grounding` and `transcription`."""

from collections.abc import Sequence

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_multimodal import row_schema
from tunesmith_multimodal.settings import GroundingSettings, PromptSettings


@hookimpl
def dataset_format() -> Sequence[Provider]:
    chat = ("dataset/chat",)
    return [
        Provider(
            "vqa", "questions about pictures: {image, question, answer}", "tunesmith_multimodal.formats:VisualQuestions", produces=chat,
            facts={"row": row_schema.VQA},
        ),
        Provider(
            "captioning", "pictures with their captions: {image, caption}", "tunesmith_multimodal.formats:Captions", PromptSettings,
            produces=chat, facts={"row": row_schema.CAPTIONING},
        ),
        Provider(
            "ocr", "pictures with the text that stands in them: {image, text}", "tunesmith_multimodal.formats:Texts", PromptSettings,
            produces=chat, facts={"row": row_schema.OCR},
        ),
        Provider(
            "grounding", "where in a picture something is: {image, phrase, bbox}", "tunesmith_multimodal.grounding:Places",
            GroundingSettings, produces=chat, facts={"row": row_schema.GROUNDING},
        ),
        Provider(
            "transcription", "speech with what is said: {audio, text}", "tunesmith_multimodal.formats:Speech", PromptSettings,
            produces=chat, facts={"row": row_schema.TRANSCRIPTION},
        ),
    ]  # fmt: skip
