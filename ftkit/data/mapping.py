"""Which column plays which role, guessed from the names (English and Turkish) and from what the columns hold.

Takes column names and some rows, gives role → column and notes where the guess is weak. It always gives its best
guess; whether a row then works is said by ``chat``.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ftkit.data.phrases import phrase
from ftkit.errors import BadInput

Row = Mapping[str, Any]
Mapped = dict[str, str]

ROLES: tuple[str, ...] = (
    *("messages", "system", "instruction", "user", "assistant"),
    *("text", "prompt", "completion", "chosen", "rejected", "label", "tools"),
)
_TARGETS = frozenset({"messages", "assistant", "text", "chosen", "completion"})

# In the order of preference. Compared without case, accents, spaces and marks.
_NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation", "mesajlar", "konusma", "konusmalar", "sohbet"),
    "system": ("system", "system_prompt", "system_message", "sistem", "sistem_mesaji", "sistem_istemi"),
    "instruction": ("instruction", "talimat", "yonerge", "komut"),
    "user": (
        *(
            "prompt",
            "question",
            "query",
            "user",
            "user_message",
            "message",
            "input",
            "human",
            "request",
            "ticket",
        ),
        *("istem", "soru", "sorgu", "kullanici", "mesaj", "girdi", "giris", "istek", "talep"),
    ),
    "assistant": (
        *("completion", "output", "answer", "response", "assistant", "reply", "target", "bot"),
        *("solution", "expected", "expected_output", "reference", "reference_answer", "best_answer"),
        *("cevap", "yanit", "cikti", "asistan", "karsilik", "hedef", "cozum"),
    ),
    "tools": ("tools", "functions", "araclar"),
    "label": ("label", "category", "class", "intent", "summary", "etiket", "kategori", "sinif", "ozet"),
    "text": ("text", "content", "document", "body", "article", "metin", "icerik", "belge", "yazi", "makale"),
    "context": ("context", "passage", "baglam", "paragraf"),
    "chosen": ("chosen", "preferred", "accepted", "secilen", "tercih_edilen"),
    "rejected": ("rejected", "dispreferred", "reddedilen", "elenen"),
}
_PLAIN = str.maketrans("ıİşŞçÇğĞöÖüÜ -.", "iissccggoouu___")


def guess(columns: Sequence[str], rows: Sequence[Row]) -> tuple[Mapped, tuple[str, ...]]:
    """The likely roles of the columns.

    Args:
        columns: their names in order.
        rows: some rows of the data.

    Returns:
        role → column, and notes for the reader.
    """
    notes: list[str] = []
    mapping = _guess(columns, rows, notes)
    if "chosen" in mapping:
        notes.append(phrase("mapping_preference"))
    if "label" in mapping:
        notes.append(phrase("mapping_labels"))
    unused = [name for name in columns if name not in mapping.values()]
    if unused and mapping:
        notes.append(phrase("mapping_unused", names=", ".join(unused)))
    return mapping, tuple(notes)


def check(mapping: Mapping[str, str], columns: Collection[str]) -> Mapped:
    """A mapping that a person gave.

    Raises:
        BadInput: a role or a column does not exist, or nothing is left to learn.
    """
    given = {role: column for role, column in mapping.items() if column}
    for role, column in given.items():
        if role not in ROLES:
            raise BadInput(
                "data.unknown_role",
                "There is no role “{role}”. Use: {known}.",
                role=role,
                known=", ".join(ROLES),
            )
        if column not in columns:
            raise BadInput(
                "data.unknown_column",
                "There is no column “{column}”. Use: {known}.",
                column=column,
                known=", ".join(columns),
            )
    if not _TARGETS & given.keys():
        raise BadInput(
            "data.no_target",
            "No column is chosen that the model shall learn to write. Choose one as messages, assistant, text or chosen.",
        )
    if ("prompt" in given) != ("completion" in given):
        raise BadInput(
            "data.half_pair",
            "Prompt and completion go together: choose a column for each, or for none of them.",
        )
    if not {"messages", "text", "instruction", "user"} & given.keys() and "assistant" in given:
        raise BadInput(
            "data.no_question_column",
            "No column is chosen for what is asked. Choose one as user or instruction, or use text instead of assistant.",
        )
    return given


def _guess(columns: Sequence[str], rows: Sequence[Row], notes: list[str]) -> Mapped:
    texts = [name for name in columns if _holds_text(name, rows)]
    chats = [name for name in columns if _holds_messages(name, rows)]
    extra = _named(("system",), texts)
    preference = _named(("chosen", "rejected"), columns)
    if len(preference) < 2:
        preference = {}
    chats = [name for name in chats if name not in preference.values()]
    if chats:
        known = _named(("messages",), chats)
        if not known:
            notes.append(phrase("mapping_guessed_role", name=chats[0], role=phrase("role_messages")))
        tools = _named(("tools",), columns)
        return {"messages": known.get("messages", chats[0]), **extra, **preference, **tools}
    free = [name for name in texts if name not in {*extra.values(), *preference.values()}]
    asked = _asked(free)
    if preference:
        if free and not asked and not _holds_messages(preference["chosen"], rows):
            asked = {"user": _longest(free, rows)}
            notes.append(phrase("mapping_guessed_role", name=asked["user"], role=phrase("role_user")))
        return {**extra, **asked, **preference}
    return _with_answer(free, rows, {**extra, **asked}, notes)


def _asked(texts: Sequence[str]) -> Mapped:
    """The columns of the question: instruction and its input, or a question and its context."""
    found = _named(("instruction", "user", "context"), texts)
    context = found.pop("context", None)
    if context and len(found) == 1:
        (question,) = found.values()
        return {"instruction": question, "user": context}
    return found


def _with_answer(texts: Sequence[str], rows: Sequence[Row], mapping: Mapped, notes: list[str]) -> Mapped:
    """Complete the question's columns with the answer's, or take a plain text, or guess by position and length."""
    asked = {"instruction", "user"} & mapping.keys()
    answer = _named(("assistant",), texts)
    named = _named(("text", "label"), texts)
    if asked and not answer and "label" in named:
        answer = {"assistant": named["label"]}
    if asked and answer:
        marks = {"label": named["label"]} if "label" in named and _marks_answers(named["label"], rows) else {}
        return {**mapping, **answer, **marks}
    if not asked and not answer and "text" in named:
        pair = {"user": named["text"], "assistant": named.get("label", "")}
        return {**mapping, **pair} if pair["assistant"] else {"text": named["text"]}
    free = [name for name in texts if name not in {*mapping.values(), *answer.values()}]
    if (asked or answer) and free:
        role = "user" if answer else "assistant"
        name = _longest(free, rows)
        notes.append(phrase("mapping_guessed_role", name=name, role=phrase(f"role_{role}")))
        return {**mapping, **answer, role: name}
    if len(asked) > 1:
        notes.append(phrase("mapping_no_answer"))
        return mapping
    return _by_position([*mapping.values(), *answer.values(), *free], rows, mapping, notes)


def _by_position(texts: Sequence[str], rows: Sequence[Row], mapping: Mapped, notes: list[str]) -> Mapped:
    """No name says anything: of the two longest columns the first asks and the second answers; one alone is text."""
    candidates = [name for name in texts if name != mapping.get("system") and _length(name, rows)]
    if not candidates:
        notes.append(phrase("mapping_none"))
        return {}
    if len(candidates) == 1:
        notes.append(phrase("mapping_unsure"))
        return {"text": candidates[0]}
    longest = sorted(candidates, key=lambda name: _length(name, rows))[-2:]
    question, answer = (name for name in candidates if name in longest)
    notes.append(phrase("mapping_unsure"))
    return {
        **{role: mapping[role] for role in ("system",) if role in mapping},
        "user": question,
        "assistant": answer,
    }


def _named(roles: Sequence[str], columns: Sequence[str]) -> Mapped:
    """For each role the column whose name is known for it; a column serves one role only."""
    plain = {_plain(name): name for name in reversed(columns)}
    found: Mapped = {}
    for role in roles:
        name = next((plain[known] for known in _NAMES[role] if known in plain), None)
        if name is not None and name not in found.values():
            found[role] = name
    return found


def _plain(name: str) -> str:
    return name.strip().translate(_PLAIN).casefold()


def _holds_text(name: str, rows: Sequence[Row]) -> bool:
    values = [row[name] for row in rows if row.get(name) not in (None, "")]
    return not values or sum(not isinstance(value, list) for value in values) * 2 > len(values)


def _holds_messages(name: str, rows: Sequence[Row]) -> bool:
    values = [row[name] for row in rows if row.get(name) not in (None, "")]
    return bool(values) and sum(map(_is_conversation, values)) * 2 > len(values)


def _is_conversation(value: Any) -> bool:
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and bool({"role", "from"} & item.keys()) for item in value)
    )


def _marks_answers(name: str, rows: Sequence[Row]) -> bool:
    """Whether a column says of each row only whether its answer is good or bad."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return bool(values) and all(
        isinstance(value, bool) or str(value).strip().casefold() in ("true", "false") for value in values
    )


def _longest(names: Sequence[str], rows: Sequence[Row]) -> str:
    return max(names, key=lambda name: _length(name, rows))


def _length(name: str, rows: Sequence[Row]) -> int:
    return sum(len(row[name]) for row in rows if isinstance(row.get(name), str))
