"""The forms that a run is exported to, and the variants of each: named once, for the options, the page and the command line.

Names only, and cheap to import.
"""

from typing import Literal, get_args

Target = Literal["adapter", "merged", "gguf", "hub", "endpoint", "docker", "triton"]
Precision = Literal["bf16", "fp32"]
Quantization = Literal["f32", "f16", "bf16", "q8_0"]
Push = Literal["adapter", "merged"]
Server = Literal["vllm", "tgi"]

TARGETS: tuple[Target, ...] = get_args(Target)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
