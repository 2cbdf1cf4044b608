"""Whether what is asked now is still what the model was trained on."""
