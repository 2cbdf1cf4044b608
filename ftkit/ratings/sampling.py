"""How answers are made, wherever models are asked beside each other.

Takes untyped values, gives a frozen ``Sampling``. It asks no model.
"""

from pydantic import Field

from ftkit.ratings.choices import Choices


class Sampling(Choices):
    """How answers are made. A temperature of 0 takes the likeliest token each time."""

    temperature: float = Field(default=0.0, ge=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1, description="Choose among the likeliest of this share.")
    top_k: int = Field(default=0, ge=0, le=1000, description="Choose among so many likeliest; 0 for all.")
    repetition_penalty: float = Field(
        default=1.0, ge=1, le=2, description="Above 1, tokens that stand there already become less likely."
    )
    max_new_tokens: int = Field(default=256, ge=1, le=4096, description="Longest answer in tokens.")
    seed: int = Field(default=42, ge=0, lt=2**63, description="The same seed gives the same answers.")
