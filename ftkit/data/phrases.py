"""Every reason and note of the data room, once: what was skipped and why, what was changed on the way in.

Records keep the English sentence; ``recognise`` finds its key and values again, and ``translate`` says it in the
reader's language. It holds no errors: those are raised where they happen.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

PHRASES: dict[str, str] = {
    # why a line did not become a row
    "row_too_long": "the row is longer than {limit} characters",
    "json_syntax": "column {column}: not valid JSON ({problem})",
    "json_extra": "column {column}: more than one JSON value on the line",
    "json_too_deep": "nested deeper than {limit} levels",
    "json_duplicate_key": "the key “{name}” stands twice in one object",
    "json_not_finite": "{value} is not a number that JSON allows",
    "json_huge_number": "a number with {digits} digits cannot be read",
    "not_an_object": "{found} where an object with columns is expected",
    "nul_character": "a NUL character in “{name}”",
    "bad_byte": "the byte 0x{byte} in “{name}” is not valid text (or the escape \\udc{byte} is half a character)",
    "half_character": "U+{code} in “{name}” is half a character",
    "not_text": "“{name}” holds {found}, which is not text",
    "wrong_field_count": "{found} fields where the header has {expected}",
    "bad_quote": "lines {first} to {last}: a quote is closed in the middle of a field",
    "marks_without_answer": "no instruction with one answer between the marks",
    # what was changed on the way in
    "blank_lines": "Blank lines left out: {count}.",
    "encoding_marked": "Read as {encoding}, as the mark at the beginning of the file says.",
    "encoding_guessed": "The file is not UTF-8. Read as {encoding}, which is a guess: look at special characters.",
    "encoding_chosen": "Read as {encoding}, as you said.",
    "control_characters": "Rows with control characters, which no page shows: {count}. They are kept.",
    "unseen_characters": "Rows with invisible or direction-changing characters: {count}. They are kept.",
    "archive_left_out": "Left out of the archive, because they cannot be read: {names}.",
    "file_rows": "From “{name}”: {rows} rows, {skipped} lines skipped.",
    "marked_text": "“{name}” marks instruction and answer with ###: they became columns of their own beside it.",
    "marked_blocks": "Instruction and answer are marked with ###: each pair became a row.",
    "no_header": "The first line looks like data, so that columns have numbers for names.",
    "formulas": "Formulas that were not evaluated: {count}. The values saved with them were read.",
    "merged_cells": "Merged cells: {count}. Only the first cell of each holds a value.",
    "json_list_chosen": "The rows are the list under “{name}”. Not read: {others}.",
    "delimiter": "Columns are separated by {delimiter}.",
    "single_column": "The file has one column.",
    "column_renamed": "The name of column {number} was empty, too long or taken: it is now “{name}”.",
    "paragraphs": "Each paragraph (lines between blank lines) became a row.",
    "text_lines": "Each line became a row.",
    "json_whole": "The file holds one JSON document, not one object per line.",
    "json_lines": "The file holds one JSON object per line.",
    "json_list_inside": "The rows are the list under “{name}”.",
    "json_one_conversation": "The whole file is one conversation: one row.",
    "column_missing": "“{name}” is missing in {count} rows.",
    "column_mixed": "“{name}” holds different kinds of values, such as {first} (line {first_line}) and {second} (line {second_line}).",
    "column_as_text": "“{name}” ({type}) was turned into text.",
    "sheet": "Read from the sheet “{name}”; the workbook has {count}.",
    # how the columns were understood
    "mapping_unsure": "No column has a name that ftkit knows: the roles are a guess. Look at the preview.",
    "mapping_none": "No column holds text to learn from. Choose the columns yourself.",
    "mapping_no_answer": "No column holds answers. Choose one, or add it to the file.",
    "mapping_guessed_role": "“{name}” was taken as {role} by its content, not by its name.",
    "mapping_preference": "Preference data: for plain fine-tuning each conversation ends with the chosen answer.",
    "mapping_labels": "Answers marked as good or bad: plain fine-tuning learns from the good ones only.",
    "mapping_unused": "Not used for training: {names}.",
    # why a row cannot be trained on
    "no_mapping": "no column is chosen for the question and the answer",
    "no_column": "the column “{name}” is missing",
    "not_messages": "“{name}” is not a list of messages",
    "message_not_object": "message {number} is {found}, not an object",
    "message_no_role": "message {number} has no role",
    "message_unknown_role": "message {number} has the unknown role “{role}”",
    "message_no_content": "message {number} has no text",
    "message_wrong_content": "the content of message {number} is {found}, not text",
    "message_other_part": "message {number} has a part of the kind “{kind}”; only text can be trained on",
    "message_tool_calls": "message {number} calls a tool without a name, or with arguments that are no object",
    "not_tools": "“{name}” is not a list of tools",
    "label_unknown": "“{name}” does not say whether the answer is good or bad",
    "label_bad": "“{name}” marks the answer as a bad one",
    "same_answers": "“{first}” and “{second}” are the same",
    "no_mark": "no column says whether the answer is good or bad",
    "no_question": "nothing is asked before the answer",
    "text_for_encoder": "it is one text, and this model needs a question and an answer",
    "no_answer": "there is no answer",
    "prompt_tool_calls": "the conversation before the answer calls tools",
    "no_rows": "there is no row",
    "no_token": "no token of it can be learned",
    "empty_column": "“{name}” is empty",
    "no_preference": "a better and a worse answer are needed",
    "same_preference": "the better and the worse answer are the same",
    "template_no_answer": "the answer is not in what the template writes",
    "template_no_prompt": "the template writes nothing before the answer",
    "template_tool_calls": "the answer calls a tool, which only a conversation can hold",
    "template_too_long": "the template writes more than {limit} characters",
    "other_reasons": "other reasons",
    # why a split leaves a row out
    "split_apart": "it belongs together with rows of two parts",
    "split_content_in_test": "the same as a row of the test set",
    "split_near_in_test": "nearly the same as a row of the test set",
    "split_group_in_test": "of the same group as a row of the test set",
    # what a split says about itself
    "split_without_train": "No row is for training: this split is only good for measuring.",
    "split_without_validation": "No row is for validation: nothing shows when the model begins to learn by heart.",
    "split_without_test": "No row is for the test: nothing can be said about questions that the model never saw.",
    "split_small_train": "Only {share}% of the rows ({rows}) teach the model; every row kept back is one that it cannot learn from.",
    "split_small_validation": "With {share}% for validation ({rows} rows) its loss is rough: shares move by ±{points} points by chance alone.",
    "split_small_test": "With {share}% for the test ({rows} rows) results move by ±{points} points by chance alone.",
    "split_large_train": "{share}% of the rows ({rows}) are for training, which leaves little to measure with.",
    "split_large_validation": "{share}% of the rows ({rows}) are for validation and teach the model nothing.",
    "split_large_test": "{share}% of the rows ({rows}) are for the test and teach the model nothing.",
    "split_uneven": "{got}% of the rows are in {part} instead of {share}%: hashes decide, and rows that belong together stay together.",
    "split_near_off": "Most rows are nearly the same as each other, as if from one template. Near-duplicates were not kept together: else all of them would stand in one part.",
    "split_near_apart": "Rows with a near-duplicate in another part: {count}.",
    "split_no_group": "Rows without a value in “{column}”, each a group of its own: {count}.",
    "split_no_label": "Rows without a value in “{column}”, split without regard to it: {count}.",
    "split_label_missing": "No row with the label “{label}” in {part}: there are only {rows} rows of it.",
    "split_labels_missing": "Further labels that a part lacks: {count}.",
    "split_test_set": "The test is a dataset of its own with {count} rows; of the other rows {share}% are for training, the rest for validation.",
    "split_test_left_out": "Rows of the test set that cannot be used: {count}.",
    # why cleaning dropped a row, and what it did in all
    "clean_copy": "an exact copy of an earlier row",
    "clean_near_copy": "nearly the same as an earlier row",
    "clean_short": "shorter than {limit} ({unit})",
    "clean_long": "longer than {limit} ({unit})",
    "clean_language": "written in another language ({code})",
    "clean_language_unclear": "too short or too mixed to tell its language",
    "clean_punctuation": "nothing but punctuation",
    "clean_refusal": "the answer refuses, as models do",
    "clean_filler": "filler in place of text",
    "clean_echo": "the answer repeats the question",
    "clean_letters": "too few letters",
    "clean_repeated_lines": "the same lines again and again",
    "clean_repeated_phrases": "the same phrase again and again",
    "clean_matched": "the expression is true of it: {expression}",
    "clean_unmatched": "the expression is not true of it: {expression}",
    "clean_unfit": "the expression cannot be worked out for it: {problem} is not a number",
    "clean_counts": "Cleaned: {kept} of {rows} rows are left, {changed} of them changed.",
    "clean_counts_reason": "{count} rows went: {reason}.",
    "clean_edited": "Corrected by hand: {count} places in {rows} rows.",
    # what is wrong with a value
    "mistake_greater_than": "it must be more than {limit}",
    "mistake_greater_than_equal": "it must be at least {limit}",
    "mistake_less_than": "it must be less than {limit}",
    "mistake_less_than_equal": "it must be at most {limit}",
    "mistake_one_of": "it must be one of {known}",
    "mistake_empty": "it must not be empty",
    "mistake_no_field": "there is no such field",
    "mistake_wrong": "{found} does not fit there",
    # rows gathered for a new dataset
    "collected_train": "Rows of the training part, chosen in an evaluation: {rows}.",
    "collected_validation": "Rows of the validation part, chosen in an evaluation: {rows}.",
    "collected_test": "Rows of the test part, chosen in an evaluation: {rows}. The column {column} says so. A model that learns them "
    "cannot be judged by them any more.",
    "collected_corrected": "Answers corrected there: {count}.",
    # preference data out of ratings
    "preferred_rows": "From the votes of raters: {votes}; from answers that they mended: {edits}.",
    "preferred_unrated": "Items that nobody rated: {count}.",
    "preferred_conflict": "Items without a majority: {count}.",
    "preferred_tie": "Items whose answers are alike: {count}.",
    "preferred_both_bad": "Items whose answers are all bad: {count}.",
    "preferred_identical": "Items whose answers have the same text: {count}.",
    "preferred_empty": "Items with an empty answer: {count}.",
    "preferred_test": "Prompts of the test part: {rows} rows. The column {column} says so. A model that learns them cannot be judged "
    "by them any more.",
    # requests of a served model
    "harvested_rows": "Requests of the served model: {rows}. Personal data in them was masked before they were kept.",
    "harvested_corrected": "Answers that users put right: {count}. They stand in place of the model's own.",
    "harvested_doubtful": "Answers that users rated bad and nobody has put right: {count}. Correct them before a model learns them.",
    # words that stand inside the sentences above
    "part_train": "training",
    "part_validation": "validation",
    "part_test": "the test",
    "kind_nothing": "nothing",
    "kind_boolean": "true or false",
    "kind_number": "a number",
    "kind_text": "text",
    "kind_list": "a list",
    "kind_object": "an object",
    "commas": "commas",
    "semicolons": "semicolons",
    "tabs": "tabs",
    "bars": "bars (|)",
    "file_png": "a PNG image",
    "file_jpeg": "a JPEG image",
    "file_gif": "a GIF image",
    "file_pdf": "a PDF document",
    "file_program": "a program",
    "file_bzip2": "a bzip2 archive; unpack it first",
    "file_xz": "an xz archive; unpack it first",
    "file_7z": "a 7z archive; unpack it first",
    "file_zstd": "a zstd archive; unpack it first",
    "file_office": "an old or password-protected Office file; save it as .xlsx without a password",
    "file_numpy": "a NumPy file",
    "file_sqlite": "an SQLite database",
    "file_arrow": "an Arrow file; save it as Parquet",
    "file_pickle": "a Python pickle, which is never opened",
    "file_tar": "a tar archive; unpack it first",
    "file_html": "a web page; perhaps the download failed",
    "file_ods": "an OpenDocument file; save it as .xlsx or CSV",
    "unit_characters": "characters",
    "unit_words": "words",
    "unit_tokens": "tokens",
    "role_messages": "messages",
    "role_user": "question",
    "role_assistant": "answer",
}
_LONGEST_VALUE = 60


def phrase(key: str, **values: object) -> str:
    """The English sentence; long values are cut, so that a hostile name cannot fill a page."""
    return PHRASES[key].format(**{name: _short(str(value)) for name, value in values.items()})


def recognise(text: str) -> tuple[str, dict[str, str]] | None:
    """Key and values of a sentence that ``phrase`` made; None for any other text."""
    for key, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return key, found.groupdict()
    return None


def translate(text: str, templates: Mapping[str, str]) -> str:
    """A sentence of ours in another language; ``templates`` has that language's sentence for each key.

    Words of ours inside the sentence are translated too; any other text comes back as it is.
    """
    known = recognise(text)
    if known is None or known[0] not in templates:
        return text
    key, values = known
    return templates[key].format(**{name: translate(value, templates) for name, value in values.items()})


def kind_of_value(value: object) -> str:
    """What a JSON value is, in a word or two."""
    if value is None:
        return phrase("kind_nothing")
    if isinstance(value, bool):
        return phrase("kind_boolean")
    if isinstance(value, int | float):
        return phrase("kind_number")
    if isinstance(value, str):
        return phrase("kind_text")
    return phrase("kind_list" if isinstance(value, list) else "kind_object")


def _short(text: str) -> str:
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= _LONGEST_VALUE else flat[: _LONGEST_VALUE - 1] + "…"


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(key, _pattern(template)) for key, template in PHRASES.items()]


def _pattern(template: str) -> re.Pattern[str]:
    """A name that stands twice must hold the same text both times."""
    pieces, seen, parts = re.split(r"\{(\w+)\}", template), set[str](), []
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            parts.append(re.escape(piece))
        else:
            parts.append(f"(?P={piece})" if piece in seen else f"(?P<{piece}>.*?)")
            seen.add(piece)
    return re.compile("".join(parts))
