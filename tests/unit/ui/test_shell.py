import json
import re
from html.parser import HTMLParser

import pytest

from ftkit.ui.i18n import say, t
from ftkit.ui.shell import PAGES, dress
from ftkit.ui.theme import CONTENT_CSS, SHELL_CSS

GRADIO = """<!doctype html>
<html
	lang="en"
>
	<head>
		<meta property="og:image" content="https://raw.example/x.jpg" />
		<meta
			name="twitter:title"
			content="Gradio"
		/>
		<script>window.gradio_config = %s;</script><script data-gradio-mode>mode()</script>
		<link rel="manifest" href="/manifest.json" />
	</head>
	<body style="x"><gradio-app eager="true"></gradio-app></body>
</html>"""


def page(path="/", query="", lang="en", config="{}"):
    return dress(GRADIO % config, path, query, lang)


class Links(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.current, self.hrefs, self.forms = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "a" and "class" not in attributes:
            self.hrefs.append(attributes["href"])
            if attributes.get("aria-current") == "page":
                self.current.append(attributes["href"])
        if tag == "input":
            self.forms.append(attributes)


@pytest.mark.parametrize("lang", ["en", "tr"])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_that_is_open_is_marked(name, lang):
    path = "/" if name == "home" else f"/{name}"
    html = page(path, lang=lang)
    assert Links(html).current == [path]
    title = say(f"shell.nav.{name}", lang)
    assert f"<title>{title} · ftkit</title>" in html
    assert f'gradio_config.title="{title} · ftkit"' in html, "Gradio sets the title again"
    assert html.index("gradio_config.title") < html.index("<script data-gradio-mode>")
    assert f'lang="{lang}"' in html[:60]


def test_links_keep_what_a_person_works_on_and_nothing_else():
    hrefs = Links(page("/runs", "run=ab12&token=secret&x=1&split=s")).hrefs
    assert hrefs[0] == "/?run=ab12&split=s"
    assert len(hrefs) == len(PAGES)
    assert all(href.endswith("?run=ab12&split=s") for href in hrefs)


def test_the_address_cannot_write_into_the_page():
    html = page('/"><script>alert(1)</script>', 'run="><script>alert(2)</script>')
    assert "<script>alert" not in html


def test_the_language_switch_comes_back_to_the_same_page():
    assert {"type": "hidden", "name": "back", "value": "/runs?run=ab12"} in Links(
        page("/runs", "run=ab12")
    ).forms


def test_the_frame_stands_before_gradio_s_content_with_a_way_past_it():
    html = page("/data")
    assert (
        html.index('class="ft-skip" href="/data#content"')
        < html.index("<nav")
        < html.index('<gradio-app id="content"')
    )


def test_the_browser_s_language_is_set_first():
    html = page(lang="tr")
    assert re.search(r"<head><script>.*'language',\"tr\".*'languages',\[\"tr\"\].*?</script><script>", html)


def test_nothing_points_to_another_host():
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^\s\"']+", page().replace("%3A", ":")) == []
    assert "manifest" not in page()
    assert "url(" not in SHELL_CSS + CONTENT_CSS


def test_all_markers_of_a_string_are_translated():
    value = json.dumps({"value": "# " + t("home.title") + "\n\n" + t("home.samples.title")})
    html = page(lang="tr", config=value)
    config = json.loads(re.search(r"gradio_config = (.*);</script><script>", html)[1])
    assert config["value"] == f"# {say('home.title', 'tr')}\n\n{say('home.samples.title', 'tr')}"


def test_a_translation_cannot_end_its_script(monkeypatch):
    monkeypatch.setattr("ftkit.ui.shell.say", lambda key, lang: '</script>"x"')
    html = page(config=json.dumps({"value": str(t("home.title"))}))
    config = re.search(r"gradio_config = (.*);</script><script>window", html)[1]
    assert json.loads(config) == {"value": '</script>"x"'}
    assert "</script>" not in config


def test_other_html_is_left_alone():
    assert dress("<html><head></head></html>", "/", "", "tr") == "<html><head></head></html>"


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme):
    blocks = re.findall(r":root \{(.*?)\}", SHELL_CSS, re.DOTALL)
    assert len(blocks) == 2
    c = dict(re.findall(r"--ft-([a-z-]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))
    for ground in ("bg", "surface", "sunken", "field"):
        assert contrast(c["ink"], c[ground]) > 7, ground
        assert contrast(c["quiet"], c[ground]) > 4.5, ground
        assert contrast(c["accent"], c[ground]) > 4.5, ground
    for tone in ("good", "warn", "bad"):
        assert contrast(c[tone], c[f"{tone}-soft"]) > 4.5, tone
    assert contrast(c["accent-strong"], c["accent-soft"]) > 4.5
    assert contrast(c["ink"], c["warn-soft"]) > 4.5
    assert contrast(c["on-accent"], c["accent"]) > 4.5
    assert contrast(c["on-accent"], c["accent-strong"]) > 4.5
    assert contrast(c["line-strong"], c["field"]) > 3


@pytest.mark.parametrize(("lang", "word"), [("en", "That did not work"), ("tr", "Bu olmadı")])
def test_the_word_above_a_toast_is_in_the_readers_language(lang, word):
    assert f'.toast-title.error::before{{content:"{word}"}}' in page(lang=lang)
