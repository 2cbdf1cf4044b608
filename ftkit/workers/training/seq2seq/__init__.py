"""Fine-tuning of encoder-decoder models: the encoder reads the question, the decoder learns the answer."""
