"""llama.cpp on GGUF files."""
