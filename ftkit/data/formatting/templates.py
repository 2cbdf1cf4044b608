"""The instruction templates that come with ftkit, as Jinja: the model's input written out as one text.

A template is given ``system``, ``history`` (earlier turns), ``instruction``, ``input``, ``answer``, ``messages`` (all turns)
and ``row`` (all columns). It renders nothing itself: templates run in a worker, in a sandbox.
"""

from collections.abc import Mapping

_FORM = """{{% if system %}}{{{{ system }}}}

{{% endif %}}{{% for turn in history %}}{{% if turn.role == 'assistant' %}}### {answer}:
{{{{ turn.content }}}}

{{% else %}}### {task}:
{{{{ turn.content }}}}

{{% endif %}}{{% endfor %}}### {task}:
{{{{ instruction }}}}

{{% if input %}}### {input}:
{{{{ input }}}}

{{% endif %}}### {answer}:
{{{{ answer }}}}"""

TEMPLATES: Mapping[str, str] = {
    "alpaca": _FORM.format(task="Instruction", input="Input", answer="Response"),
    "talimat": _FORM.format(task="Talimat", input="Girdi", answer="Yanıt"),
    "chatml": "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content }}<|im_end|>"
    "{% if not loop.last %}{{ '\n' }}{% endif %}{% endfor %}",
    "plain": "{% for turn in messages %}{{ turn.content }}{% if not loop.last %}{{ '\n\n' }}{% endif %}{% endfor %}",
}
LONGEST = 64 * 1024  # characters of a person's own template
