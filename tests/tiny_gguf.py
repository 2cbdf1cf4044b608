"""The tiny random model as a GGUF file, for llama.cpp."""

from pathlib import Path

from tests.tiny import make_tiny_model


def make_tiny_gguf(file: Path) -> Path:
    """Write it with llama.cpp's own converter, and return the file."""
    from ftkit.workers.exporting.gguf.converting import convert

    convert(make_tiny_model(file.parent / "model"), file, "f32", "Tiny")
    return file
