"""Questions as menus and lines that are checked while they are typed, drawn by prompt_toolkit."""

from __future__ import annotations

from collections.abc import Sequence

from prompt_toolkit.application import Application
from prompt_toolkit.completion import PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Always, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import ConditionalContainer, Dimension, HSplit, Layout, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style
from prompt_toolkit.validation import ValidationError, Validator

from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import safe, text_width, wrap
from tunesmith_wizard.front.contract import Front
from tunesmith_wizard.question import Option, Question

_STYLE = Style([("question", "bold"), ("mark", "ansigreen"), ("pointed", "bold ansicyan"), ("help", "ansibrightblack"),
                ("validation-toolbar", "noreverse ansiyellow")])  # fmt: skip
_LINES = 12  # of a menu; a longer one scrolls


class Menus(Front):
    def ask(self, question: Question) -> str:
        self.introduce(question)
        depth = None if self.colors else ColorDepth.DEPTH_1_BIT
        if not question.options:
            return self._typed(question, depth)
        menu = _Menu(question, self.width)
        found = Application(menu.layout, key_bindings=menu.keys, style=_STYLE, color_depth=depth).run()
        return question.checked(str(found))

    def _typed(self, question: Question, depth: ColorDepth | None) -> str:
        session: PromptSession[str] = PromptSession(
            [("class:question", f"? {safe(question.text)} ")], style=_STYLE, color_depth=depth, validator=_Checked(question),
            validate_while_typing=True, completer=PathCompleter(expanduser=True) if question.paths else None,
            complete_while_typing=False, reserve_space_for_menu=4,
        )  # fmt: skip
        for window in session.layout.find_all_windows():  # else what is wrong with an answer stands at the foot of the terminal
            if window.content is session.layout.current_control:
                window.dont_extend_height = Always()
        try:
            return question.checked(session.prompt(default=question.recommended))
        except EOFError:
            raise KeyboardInterrupt from None


class _Checked(Validator):
    def __init__(self, question: Question) -> None:
        self.question = question

    def validate(self, document: Document) -> None:
        try:
            self.question.checked(document.text)
        except ValueError as error:
            raise ValidationError(len(document.text), safe(str(error))) from None  # the cursor goes there


class _Menu:
    """A menu: arrows or numbers move, the space bar takes several, Enter answers."""

    def __init__(self, question: Question, width: int) -> None:
        self.question, self.width = question, width
        values = [option.value for option in question.options]
        wanted = question.recommended.split(",")
        self.at = next((index for index, value in enumerate(values) if value in wanted), 0)
        self.taken = {index for index, value in enumerate(values) if value in wanted} if question.several else set()
        self.keys = self._bindings()
        shown = HSplit([
            Window(FormattedTextControl(self._head), height=Dimension(min=1), dont_extend_height=True, wrap_lines=True),
            ConditionalContainer(
                Window(FormattedTextControl(self._options, focusable=True, show_cursor=False),
                       height=Dimension(max=_LINES), dont_extend_height=True),
                filter=~is_done,
            ),
            ConditionalContainer(Window(FormattedTextControl(self._help), dont_extend_height=True, wrap_lines=False), filter=~is_done),
        ])  # fmt: skip
        self.layout = Layout(shown)
        self.finished = False

    @property
    def options(self) -> Sequence[Option]:
        return self.question.options

    @property
    def answer(self) -> str:
        taken = sorted(self.taken) if self.question.several else [self.at]
        return ",".join(self.options[index].value for index in taken)

    def _head(self) -> StyleAndTextTuples:
        head = f"? {safe(self.question.text)} " + (self.question.label(self.answer) if self.finished else "")
        return [("class:question", "\n".join(wrap(head, self.width, "", "  ")))]

    def _options(self) -> StyleAndTextTuples:
        found: StyleAndTextTuples = []
        for index, option in enumerate(self.options):
            pointed = index == self.at
            box = ("[x] " if index in self.taken else "[ ] ") if self.question.several else ""
            number = f"{index + 1}. " if index < 9 else "   "
            text = _cut(f"{number}{box}{safe(option.label)}", self.width - 5)
            if pointed:
                found.append(("[SetCursorPosition]", ""))
            found.append(("class:pointed" if pointed else "", f"{'> ' if pointed else '  '}{text}"))
            found.append(("class:mark", " *" if option.value in self.question.recommended.split(",") else ""))
            found.append(("", "\n" if index < len(self.options) - 1 else ""))
        return found

    def _help(self) -> StyleAndTextTuples:
        keys = _("arrows and space choose, Enter answers") if self.question.several else _("arrows or numbers choose, Enter answers")
        told = safe(self.options[self.at].help)
        lines = [*(wrap(told, self.width, "  ", "  ") if told else ()), f"  ({keys})"]
        return [("class:help", "\n".join(lines))]

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        def move(step: int) -> None:
            self.at = (self.at + step) % len(self.options)

        for name, step in (("up", -1), ("down", 1), ("c-p", -1), ("c-n", 1), ("k", -1), ("j", 1)):
            keys.add(name)(lambda event, step=step: move(step))
        for digit in "123456789":

            @keys.add(digit)
            def _point(event: KeyPressEvent, index: int = int(digit) - 1) -> None:
                self.at = index if index < len(self.options) else self.at

        @keys.add(" ")
        def _take(event: KeyPressEvent) -> None:
            if self.question.several:
                self.taken ^= {self.at}

        @keys.add("enter")
        def _answer(event: KeyPressEvent) -> None:
            if self.question.several and not self.taken:
                return
            self.finished = True
            event.app.exit(result=self.answer)

        @keys.add("c-c")
        @keys.add("c-d")
        def _stop(event: KeyPressEvent) -> None:
            event.app.exit(exception=KeyboardInterrupt)

        return keys


def _cut(text: str, width: int) -> str:
    """The text, or as much of its beginning as there is room for."""
    if text_width(text) <= width:
        return text
    while text_width(text) > width - 3:
        text = text[:-1]
    return text + "..."
