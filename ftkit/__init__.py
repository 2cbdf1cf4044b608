"""From a file of examples to a fine-tuned language model you can trust, in one dashboard."""

__version__ = "0.1.0"
