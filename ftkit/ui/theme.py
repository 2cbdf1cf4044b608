"""How ftkit looks: its colours and Gradio's theme made of them, and the style sheets of frame and content.

Takes nothing, gives a theme and CSS; light and dark follow the system. Fonts are the machine's own, so that no request
leaves it. It builds no component.
"""

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

_ASSETS = Path(__file__).parent / "assets"

# In the first bytes of every page: the frame is there before Gradio is.
SHELL_CSS = (_ASSETS / "shell.css").read_text(encoding="utf-8")
CONTENT_CSS = "".join(
    (_ASSETS / name).read_text(encoding="utf-8")
    for name in ("content.css", "pages.css", "errors.css", "results.css", "serving.css", "monitor.css")
)

PINE = gr.themes.Color(
    name="pine",
    c50="#eff9f6",
    c100="#e2f3ee",
    c200="#b9e4da",
    c300="#7bcfbf",
    c400="#46b3a2",
    c500="#21897b",
    c600="#15695f",
    c700="#0f554d",
    c800="#10443e",
    c900="#17332e",
    c950="#06201c",
)
STONE = gr.themes.Color(
    name="stone",
    c50="#fafaf8",
    c100="#f6f6f2",
    c200="#f0f0eb",
    c300="#e0e0d9",
    c400="#a8aea7",
    c500="#7d847d",
    c600="#5a5d56",
    c700="#303631",
    c800="#222723",
    c900="#1a1e1b",
    c950="#121513",
)

_FONTS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "SF Mono", "Cascadia Code", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]

# Which of Gradio's variables take which of ours. Ours change with the system between light and dark, so each stands for both.
_COLOURS: Mapping[str, str] = {
    "ink": "body_text_color block_title_text_color block_label_text_color table_text_color accordion_text_color "
    "checkbox_label_text_color checkbox_label_text_color_selected button_secondary_text_color "
    "button_secondary_text_color_hover",
    "quiet": "body_text_color_subdued block_info_text_color input_placeholder_color",
    "bg": "body_background_fill",
    "surface": "background_fill_primary block_background_fill panel_background_fill block_label_background_fill "
    "button_secondary_background_fill checkbox_label_background_fill table_even_background_fill "
    "checkbox_background_color checkbox_background_color_hover checkbox_background_color_focus",
    "field": "input_background_fill input_background_fill_focus input_background_fill_hover",
    "sunken": "background_fill_secondary code_background_fill button_secondary_background_fill_hover "
    "checkbox_label_background_fill_hover table_odd_background_fill",
    "line": "border_color_primary block_border_color block_label_border_color table_border_color "
    "checkbox_label_border_color panel_border_color",
    "edge": "button_secondary_border_color button_secondary_border_color_hover checkbox_label_border_color_hover",
    # The edge of a field tells where to type: 3:1 against its surface.
    "line-strong": "input_border_color input_border_color_hover checkbox_border_color checkbox_border_color_hover",
    "accent": "color_accent border_color_accent input_border_color_focus link_text_color link_text_color_visited "
    "slider_color loader_color checkbox_background_color_selected checkbox_border_color_selected "
    "checkbox_border_color_focus checkbox_label_border_color_selected "
    "button_primary_background_fill button_primary_border_color",
    "accent-strong": "link_text_color_hover link_text_color_active button_primary_background_fill_hover "
    "button_primary_border_color_hover",
    "accent-soft": "color_accent_soft border_color_accent_subdued checkbox_label_background_fill_selected "
    "table_row_focus",
    "on-accent": "button_primary_text_color button_primary_text_color_hover",
    "bad": "button_cancel_text_color button_cancel_text_color_hover button_cancel_border_color "
    "button_cancel_border_color_hover error_text_color error_icon_color error_border_color",
    "bad-soft": "button_cancel_background_fill button_cancel_background_fill_hover error_background_fill",
}
_SHAPES: Mapping[str, str] = {
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_radius": "*radius_lg",
    "block_title_text_weight": "600",
    "block_label_text_weight": "600",
    "block_info_text_size": "*text_sm",
    "container_radius": "*radius_lg",
    "layout_gap": "1.25rem",
    "form_gap_width": "0px",
    "input_radius": "*radius_md",
    "input_border_width": "1px",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px *color_accent_soft",
    "checkbox_border_width": "1.5px",
    "checkbox_label_border_width": "1px",
    "prose_header_text_weight": "650",
    "section_header_text_weight": "650",
    "button_border_width": "1px",
    "button_large_radius": "*radius_md",
    "button_medium_radius": "*radius_md",
    "button_small_radius": "*radius_sm",
    "button_large_text_weight": "600",
    "button_medium_text_weight": "600",
    "button_transform_active": "translateY(1px)",
}


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=PINE,
        secondary_hue=PINE,
        neutral_hue=STONE,
        radius_size=gr.themes.sizes.radius_lg,
        text_size=gr.themes.sizes.text_md,
        spacing_size=gr.themes.sizes.spacing_md,
        font=_FONTS,
        font_mono=_MONO,
    )
    theme.name = "ftkit"
    both = {
        name + ending: f"var(--ft-{colour})"
        for colour, names in _COLOURS.items()
        for name in names.split()
        for ending in ("", "_dark")
        if hasattr(theme, name + ending)
    }
    # Width and shadow have dark forms of their own, whose defaults would come back in the dark.
    shapes = {name + "_dark": value for name, value in _SHAPES.items() if hasattr(theme, name + "_dark")}
    theme.set(**both, **_SHAPES, **shapes)
    return theme


THEME = _theme()
