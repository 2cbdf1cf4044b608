"""The dashboard in Gradio."""
