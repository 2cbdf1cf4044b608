"""The OpenAI-compatible gateway: served within the dashboard, and alone by ``ftkit serve``."""
