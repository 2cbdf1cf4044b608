"""How to ask the gateway from a shell, from Python and from JavaScript.

Takes its address, gives texts to copy. They hold no secret: each reads the key from the environment.
"""

import json
from collections.abc import Mapping

KEY_VARIABLE = "FTKIT_API_KEY"
_QUESTION = "Hello! What can you help me with?"
_CURL = """\
export {variable}={key}
curl {url}/chat/completions \\
  -H "Authorization: Bearer ${variable}" \\
  -H "Content-Type: application/json" \\
  -d '{body}'"""
_FEEDBACK = """\
curl {url}/feedback \\
  -H "Authorization: Bearer ${variable}" \\
  -H "Content-Type: application/json" \\
  -d '{{"request_id": "chatcmpl-…", "thumb": -1, "correction": "The right answer."}}'"""
_PYTHON = """\
import os

from openai import OpenAI

client = OpenAI(base_url={url}, api_key=os.environ["{variable}"])
stream = client.chat.completions.create(
    model={model},
    messages=[{{"role": "user", "content": {question}}}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)"""
_JS = """\
import OpenAI from "openai";

const client = new OpenAI({{ baseURL: {url}, apiKey: process.env.{variable} }});
const stream = await client.chat.completions.create({{
  model: {model},
  messages: [{{ role: "user", content: {question} }}],
  stream: true,
}});
for await (const chunk of stream) {{
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}}"""


def snippets(base_url: str, model: str = "ftkit", key_hint: str = "ftk_…") -> Mapping[str, str]:
    """``curl``, ``feedback``, ``python`` and ``javascript``.

    Args:
        base_url: such as http://127.0.0.1:7860/v1.
        model: the name to ask for.
        key_hint: what stands where the key goes.
    """
    url = base_url.rstrip("/")
    quoted = {"url": json.dumps(url), "model": json.dumps(model), "question": json.dumps(_QUESTION)}
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": _QUESTION}]})
    shell = {"url": url, "variable": KEY_VARIABLE}
    return {
        "curl": _CURL.format(**shell, key=f"'{key_hint}'", body=body.replace("'", "'\\''")),
        "feedback": _FEEDBACK.format(**shell),
        "python": _PYTHON.format(**quoted, variable=KEY_VARIABLE),
        "javascript": _JS.format(**quoted, variable=KEY_VARIABLE),
    }
