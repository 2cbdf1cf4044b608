"""Files on their way in and out, in a browser: several at once, a large one with progress, cancelled, and downloads."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ROWS = [{"question": f"What is {n} plus {n}?", "answer": f"It is {2 * n}, clearly."} for n in range(20)]


def files(folder: Path, count: int) -> list[Path]:
    made = []
    for number in range(count):
        path = folder / f"part-{number}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        made.append(path)
    return made


def large(folder: Path, megabytes: int) -> Path:
    path = folder / "large.jsonl"
    line = json.dumps({"question": "Why? " * 40, "answer": "Because. " * 80})
    with path.open("w") as stream:
        for _ in range(megabytes * 1024**2 // len(line)):
            stream.write(line + "\n")
    return path


def give(page: Page, url: str, paths: list[Path]) -> None:
    page.goto(f"{url}/data")
    page.set_input_files("#data-upload input[type=file]", paths)
    page.wait_for_url(re.compile(r"/data\?upload=\w+$"))


def test_several_files_become_one_dataset_that_can_be_downloaded(page, dashboard, tmp_path):
    give(page, dashboard.url, files(tmp_path, 3))
    expect(page.get_by_text("From “part-2.jsonl”: 20 rows, 0 lines skipped.")).to_be_visible()
    page.click("#data-save")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="All rows, JSONL").click()
    assert waiting.value.suggested_filename == "part-0--2.jsonl"
    lines = waiting.value.path().read_text().splitlines()
    assert [json.loads(line) for line in lines] == ROWS * 3


@pytest.mark.parametrize(
    "page", [{}, {"locale": "tr-TR", "width": 390, "scheme": "dark"}], indirect=True, ids=["en", "tr"]
)
def test_a_large_file_is_read_beside_the_page_and_shows_how_far_it_is(page, dashboard, tmp_path):
    give(page, dashboard.url, [large(tmp_path, 150)])
    bar = page.locator("#data-reading [role=progressbar]")
    expect(bar).to_be_visible()
    begun = time.monotonic()
    assert page.request.get(f"{dashboard.url}/health").ok
    assert time.monotonic() - begun < 1
    expect(page.locator("#data-reading")).to_contain_text(re.compile(r"MB.*\d"))
    expect(page.locator("#row-chat .ft-bubble").first).to_be_visible()
    expect(bar).to_have_count(0)


def test_a_long_reading_can_be_cancelled(page, dashboard, tmp_path):
    give(page, dashboard.url, [large(tmp_path, 200)])
    upload = page.url.rpartition("=")[2]
    page.click("#data-cancel")
    page.wait_for_url(re.compile(r"/data$"))
    folder = dashboard.home / "uploads" / upload
    for _ in range(50):  # the worker may be in the middle of a write
        if not folder.exists():
            break
        page.wait_for_timeout(100)
    assert not folder.exists()


def test_a_file_can_be_read_as_the_person_says(page, dashboard, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("soru,cevap\nAçık mı?,Evet ığş\n".encode("cp1254"))
    give(page, dashboard.url, [path])
    page.get_by_text("Read it differently").click()
    page.click("#again-encoding input")
    page.get_by_role("option", name="windows-1252").click()
    page.click("#again-do")
    expect(page.get_by_text("Read as cp1252, as you said.")).to_be_visible()
    expect(page.get_by_text("Evet ýðþ").first).to_be_visible()
