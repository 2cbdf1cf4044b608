from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.errors import BadInput
from ftkit.models.catalogue import BUNDLED_ID, CATALOGUE, find_entry, hub_id, id_from_name, model_id
from ftkit.store.files import Folders


def test_the_bundled_model_comes_first_and_ids_are_unique(tmp_path) -> None:
    assert CATALOGUE[0].id == BUNDLED_ID
    assert len({entry.id for entry in CATALOGUE}) == len(CATALOGUE)
    for entry in CATALOGUE:
        assert Folders(tmp_path).work(f"pull-{entry.id}").name == f"pull-{entry.id}"


def test_a_name_of_the_list_and_its_hub_id_are_one_model() -> None:
    assert model_id("HuggingFaceTB/SmolLM2-135M-Instruct") == BUNDLED_ID
    assert model_id(" huggingfacetb/smollm2-135m-instruct ") == BUNDLED_ID
    assert hub_id(BUNDLED_ID) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert find_entry("nobody/nothing") is None


def test_another_hub_id_becomes_a_readable_id() -> None:
    assert hub_id("Some-Org/My_Model.v2") == "Some-Org/My_Model.v2"
    assert model_id("some-org/my_model.v2") == "some-org--my_model.v2"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "unknown",
        "a/b/c",
        "../etc/passwd",
        "./models",
        "../x",
        "/etc",
        "a b/c",
        "a/",
        "x" * 97 + "/m",
        "öz/model",
        "a/b?c",
    ],
)
def test_what_is_no_model_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        model_id(name)
    assert caught.value.key == "models.bad_name"


def test_names_that_lose_letters_stay_apart() -> None:
    assert id_from_name("my model") != id_from_name("my-model")
    assert id_from_name("a" * 200 + "1") != id_from_name("a" * 200 + "2")


@given(
    st.from_regex(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", fullmatch=True, alphabet=st.characters(max_codepoint=127))
)
def test_every_hub_id_gets_an_id_that_the_store_takes(name: str) -> None:
    id_ = model_id(name)
    Folders(Path("home")).model(id_)
    Folders(Path("home")).work(f"pull-{id_}")
