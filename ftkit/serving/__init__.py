"""Models answering other programs: keys, versions and engines behind an OpenAI-compatible gateway."""
