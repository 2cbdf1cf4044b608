"""The style sheets that every page gets."""

import pytest

from ftkit.ui import theme


@pytest.mark.parametrize("sheet", [theme.SHELL_CSS, theme.CONTENT_CSS], ids=["shell", "content"])
def test_every_block_of_a_style_sheet_is_closed_before_the_next_top_level_one(sheet):
    depth = 0
    for line in sheet.splitlines():
        assert not (line.startswith((".", "@", "#")) and depth), line
        depth += line.count("{") - line.count("}")
    assert depth == 0
