"""The page is in the reader's language; what a model said, a digest or a pipeline's file is not translated."""

from __future__ import annotations

import pytest

from tunesmith_report.page_language import in_the_readers_language

PAGE = (
    '<html lang="en"><style>b{time}</style><h2>Steps <small>while it ran</small></h2><th>time</th><pre>done</pre><code>time</code>'
    '<table class="samples"><tr><td>done</td></tr></table><span>done</span> <b>3 &lt; 4</b>'
)


@pytest.mark.parametrize("language", ["en", "xx"])
def test_in_english_or_a_language_that_nobody_translated_it_is_as_it_was(language, monkeypatch):
    monkeypatch.setenv("TUNESMITH_LANG", language)
    assert in_the_readers_language(PAGE) == PAGE.replace('"en"', f'"{language}"')


def test_in_chinese_its_texts_are(monkeypatch):
    monkeypatch.setenv("TUNESMITH_LANG", "zh_CN.UTF-8")
    assert in_the_readers_language(PAGE) == (
        '<html lang="zh"><style>b{time}</style><h2>步骤 <small>运行过程</small></h2><th>时间</th><pre>done</pre><code>time</code>'
        '<table class="samples"><tr><td>done</td></tr></table><span>完成</span> <b>3 &lt; 4</b>'
    )
