"""What answers: the resident generator, llama.cpp, or another server."""
