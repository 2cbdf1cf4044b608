"""What Gradio's client alone loses: an event that is sent while the end of its stream of answers is on the way."""

import json

import pytest

pytestmark = pytest.mark.browser

# A slow way to the browser: what the stream brings arrives late, while other answers come at once.
SLOW = """
const quick = window.fetch;
window.fetch = async (...given) => {
    const answer = await quick(...given);
    if (!String(given[0].url ?? given[0]).includes('/queue/data')) return answer;
    const late = new TransformStream({async transform(chunk, page) {
        await new Promise(done => setTimeout(done, 500));
        page.enqueue(chunk);
    }});
    return new Response(answer.body.pipeThrough(late), {status: answer.status, headers: answer.headers});
}
"""
ROWS = [{"question": f"Where is the lamp {n}?", "answer": f"On shelf {n}."} for n in range(30)]


def test_a_click_while_the_page_still_opens_is_answered(page, dashboard, tmp_path):
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ROWS))
    page.goto(f"{dashboard.url}/data")
    page.set_input_files("#data-upload input[type=file]", file)
    page.wait_for_url("**/data?upload=*")
    page.click("#data-save")
    page.wait_for_url("**/data?dataset=*")
    page.add_init_script(SLOW)
    page.goto(page.url.replace("/data?", "/check?"))
    page.click("#check-start")
    page.wait_for_url("**/check?dataset=*&check=*")
