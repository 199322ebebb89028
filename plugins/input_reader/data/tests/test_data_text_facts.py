"""What `data facts` says of texts: languages, fields and tasks, by counting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_cli.api import main
from tunesmith_data.languages.by_words import language_of, languages_of
from tunesmith_data.near_duplicates import NearDuplicates
from tunesmith_data.text_facts.domains import domains_in, domains_of
from tunesmith_data.text_facts.tasks import task_of

EXAMPLES = Path(__file__).parents[4] / "examples"
SENTENCES = {
    "en": "Can you tell me how the order that I placed last week will be delivered to my house?",
    "de": "Können Sie mir sagen, wie die Bestellung, die ich in der letzten Woche aufgegeben habe, zu mir nach Hause kommt?",
    "fr": "Pouvez-vous me dire comment la commande que j'ai passée la semaine dernière sera livrée chez moi ?",
    "es": "¿Me puede decir cómo se entrega en mi casa el pedido que hice la semana pasada?",
    "pt": "Você pode me dizer como o pedido que eu fiz na semana passada será entregue em minha casa?",
    "it": "Mi può dire come viene consegnato a casa mia l'ordine che ho fatto la settimana scorsa?",
    "nl": "Kunt u mij vertellen hoe de bestelling die ik vorige week heb geplaatst bij mij thuis wordt bezorgd?",
    "pl": "Czy może mi pan powiedzieć, jak zamówienie, które złożyłem w zeszłym tygodniu, będzie dostarczone do domu?",
    "ru": "Скажите, пожалуйста, как мне доставят заказ, который я сделал на прошлой неделе?",
    "uk": "Скажіть, будь ласка, як мені доставлять замовлення, що я зробив на тому тижні, і чи є на це чек?",
    "zh": "请问我上周下的订单什么时候能送到家?",
    "ja": "先週注文した商品はいつ家に届きますか。",
    "ko": "지난주에 주문한 상품은 언제 집에 도착하나요?",
    "ar": "هل يمكن أن تخبرني متى يصل الطلب الذي قدمته في الأسبوع الماضي إلى المنزل؟",
    "fa": "آیا می توانید به من بگویید سفارش هفته گذشته که ثبت کردم کی به خانه می رسد و با چه پستی است؟",
    "hi": "क्या आप बता सकते हैं कि मेरा ऑर्डर घर कब पहुँचेगा?",
    "th": "ช่วยบอกหน่อยว่าสินค้าที่สั่งจะมาถึงบ้านเมื่อไร",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_told_by_its_script_or_its_commonest_words(language: str):
    assert language_of(SENTENCES[language]) == language


@pytest.mark.parametrize("text", ["", "42", "x = f(y) + 1", "Xyzzy plugh qwrt zxcv"])
def test_of_what_tells_nothing_nothing_is_said(text: str):
    assert language_of(text) == ""


def test_chinese_with_names_in_letters_is_chinese():
    assert language_of("请介绍一下 Qwen3 和 DeepSeek 的区别,并举例说明。") == "zh"


def test_shares_are_of_characters_and_what_is_rare_is_left_out():
    assert list(languages_of([SENTENCES["de"]] * 3 + [SENTENCES["zh"]] * 3)) == ["de", "zh"]
    assert list(languages_of([SENTENCES["en"]] * 40 + [SENTENCES["fr"]])) == ["en"]
    assert languages_of([]) == {}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("The patient was prescribed metformin for diabetes.", "medical"),
        ("患者有高血压和糖尿病,需要调整剂量。", "medical"),
        ("The court found the defendant in breach of contract.", "legal"),
        ("法院判决被告赔偿原告损失。", "legal"),
        ("I want a refund for my order, please.", "customer-service"),
        ("Write a python function that sorts an array.", "code"),
    ],
)
def test_two_words_of_a_field_tell_it(text: str, field: str):
    assert field in domains_in(text)


def test_one_word_of_a_field_does_not():
    assert domains_in("She is a patient listener.") == set()


def test_a_field_of_few_rows_is_not_told():
    medical, other = "The patient has diabetes.", "What a lovely evening it is."
    assert domains_of([medical] + [other] * 19) == {}
    assert domains_of([medical] * 2 + [other] * 2) == {"medical": 0.5}


def _turns(*said: str) -> dict:
    return {"messages": [{"role": role, "content": [{"type": "text", "text": "x"}]} for role in said]}


@pytest.mark.parametrize(
    ("made", "first", "media", "task"),
    [
        ("dataset/chat", [_turns("user", "assistant")], {}, "instruction"),
        ("dataset/chat", [_turns("user", "assistant"), _turns("user", "assistant", "user", "assistant")], {}, "chat"),
        ("dataset/chat", [_turns("user", "assistant")], {"image": 1}, "vqa"),
        ("dataset/chat", [_turns("user", "assistant")], {"audio": 1}, "speech"),
        ("dataset/labelled", [{"tokens": ["a"], "labels": ["O"]}], {}, "tagging"),
        ("dataset/labelled", [{"text": "a", "label": "b"}], {}, "classification"),
        ("dataset/scroll", [], {}, "scroll"),
    ],
)
def test_the_task_is_told_by_what_rows_become_and_hold(made, first, media, task):
    assert task_of((made,), first, media) == task


def test_pictures_that_are_to_be_described_are_for_captions():
    row = {"messages": [{"role": "user", "content": [{"type": "image", "path": "a.png"}, {"type": "text", "text": "Describe this."}]}]}
    assert task_of(("dataset/chat",), [row], {"image": 1}) == "captioning"


def test_the_command_tells_of_a_file(capsys: pytest.CaptureFixture[str]):
    assert main(["data", "facts", str(EXAMPLES / "training" / "chats.jsonl"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["task"], found["rows"], found["modalities"]) == ("messages", "chat", 8, ["text"])
    assert found["languages"] == {"en": 1.0}
    assert found["tokens"] == round(found["characters"] / 4)


def test_rows_that_no_format_fits_are_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "odd.jsonl").write_text('{"alpha": 1}\n')
    assert main(["data", "facts", str(tmp_path / "odd.jsonl")]) == 1
    assert "TS-DATA-004" in capsys.readouterr().out


WORDS_OF_ROWS = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=30), max_size=30)


@given(WORDS_OF_ROWS, st.data())
def test_rows_that_are_nearly_an_earlier_one_are_counted_as_if_all_were_compared(rows, draw):
    """Some rows are another with a word changed, so that there are pairs near the bound."""
    for row in [row for row in rows if row][:10]:
        changed = list(row)
        changed[draw.draw(st.integers(0, len(row) - 1))] = "z"
        rows.append(changed)
    found, sets, expected = NearDuplicates(), [], 0
    for row in rows:
        found.add({"text": " ".join(row)})
        own = {tuple(row[at : at + 3]) for at in range(len(row) - 2)}
        expected += any(len(own & other) / len(own | other) >= 0.8 for other in sets)
        sets.append(own)
    assert (found.count, found.compared) == (expected, len(rows))


def test_no_more_rows_are_compared_than_take_some_seconds(monkeypatch):
    monkeypatch.setattr("tunesmith_data.near_duplicates.ROWS", 5)
    found = NearDuplicates()
    for number in range(20):
        said = "eleven" if number else "ten"
        found.add({"text": f"this is the row of the number {said} and it goes on like that for long enough, as rows do, for a while"})
    assert (found.compared, found.count) == (5, 3)
