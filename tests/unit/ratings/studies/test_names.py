import pytest

from ftkit.ratings.studies.names import Names

GIVEN = ["smollm2-135m-instruct", "3fa94b1c77de", "Support bot v3", "First", "Tickets · try-7b", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I am SmolLM2-135M-Instruct, a model.", ("SmolLM2-135M-Instruct",)),
        ("I am smollm2.", ("smollm2",)),
        ("As ChatGPT I cannot", ("ChatGPT",)),
        ("GPT-4 and gpt 4 and Llama-3.2 and QWEN2.5", ("GPT-4", "gpt 4", "Llama-3.2", "QWEN2.5")),
        ("Claude, made by Anthropic. Claude!", ("Claude", "Anthropic")),
        ("run 3fa94b1c77de said so", ("3fa94b1c77de",)),
        ("I am the support BOT V3", ("support BOT V3",)),
        ("trained as try-7b", ("try-7b",)),
    ],
)
def test_a_name_of_a_model_is_found(text: str, said: tuple[str, ...]) -> None:
    assert Names(GIVEN).said(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "First, follow the instruct manual of the bot.",
        "The parcel of 135 kg is a gemmary llamas qwenish thing",
        "My support is v3",
        "the 2nd try",
        "",
    ],
)
def test_ordinary_words_are_no_names(text: str) -> None:
    assert Names(GIVEN).said(text) == ()


def test_families_are_found_without_any_name() -> None:
    assert Names([]).said("Hugging Face trained me as Gemma.") == ("Hugging Face", "Gemma")
