"""A finished export says where it can go next; one for another machine does not."""

from types import SimpleNamespace

import pytest

from ftkit.export.targets import TARGETS
from ftkit.ui.exporting import shown


def view(target: str, state: str = "done") -> SimpleNamespace:
    """What the page reads of an export."""
    return SimpleNamespace(
        export=SimpleNamespace(id="e1", run="r1", created_at=None),
        options=SimpleNamespace(target=target, checkpoint=None, quantization="f16", precision="bf16"),
        job=SimpleNamespace(state=state, error=None),
        files=(),
        progress=None,
    )


@pytest.mark.parametrize("target", TARGETS)
def test_weights_that_can_be_asked_here_lead_to_serve_and_compare(target):
    links = str(shown._next(view(target), "en"))
    asked_here = target in {"adapter", "merged", "gguf"}
    assert "/download/export/e1" in links
    assert ("/serve?export=e1" in links) is asked_here
    assert ("/compare?sides=run%3Ar1%2Cexport%3Ae1" in links) is asked_here
