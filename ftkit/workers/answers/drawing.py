"""Sampled answers in batches: the randomness of each token depends on its prompt and its place alone.

Takes the sampling of a request, gives what ``generate`` needs to sample rows of a batch. It is asked for greedy answers, too,
and then changes nothing.
"""

import hashlib
import math
from collections.abc import Sequence

import torch
from transformers import LogitsProcessor, LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper


class Draw:
    """How the tokens of some prompts are drawn.

    The same prompt draws the same noise whoever answers it, in whatever batch, and after whatever interruption: a difference
    between two answers is one between the models.

    Args:
        temperature: 0 takes the likeliest token each time.
        top_p: choose among the likeliest of this share.
        seed: another seed, other answers.
        prompts: number of the prompt of each row.
    """

    def __init__(self, temperature: float, top_p: float, seed: int, prompts: Sequence[int]) -> None:
        self._temperature, self._top_p, self._seed = temperature, top_p, seed
        self._prompts = list(prompts)

    def processors(self, places: Sequence[int], start: int) -> LogitsProcessorList:
        """What turns the likeliest token of each row into a sampled one; nothing at temperature 0.

        Args:
            places: of the rows that are answered now, among all of the batch.
            start: length of the rows before the first token of the answer.
        """
        made = LogitsProcessorList()
        if math.isclose(self._temperature, 0.0):
            return made
        made.append(TemperatureLogitsWarper(self._temperature))
        if self._top_p < 1:
            made.append(TopPLogitsWarper(self._top_p))
        made.append(PromptNoise(self._seed, [self._prompts[place] for place in places], start))
        return made


class PromptNoise(LogitsProcessor):
    """Adds standard Gumbel noise to the log-probabilities, so that the likeliest token is a sample of them.

    Args:
        seed: of the request.
        prompts: number of the prompt of each row.
        start: length of the rows before the first token of the answer.
    """

    def __init__(self, seed: int, prompts: Sequence[int], start: int) -> None:
        self._seed, self._prompts, self._start = seed, list(prompts), start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores with the noise of this step."""
        step = input_ids.shape[1] - self._start
        drawn = {
            prompt: self._noise(prompt, step, scores.shape[-1]) for prompt in dict.fromkeys(self._prompts)
        }
        noise = torch.stack([drawn[prompt] for prompt in self._prompts])
        return torch.log_softmax(scores.float(), dim=-1) + noise.to(scores.device)

    def _noise(self, prompt: int, step: int, size: int) -> torch.Tensor:
        # The generator looks at 32 bits of its seed only: they must differ for each prompt and step.
        digest = hashlib.blake2b(f"{self._seed}/{prompt}/{step}".encode(), digest_size=4).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest))
        exponential = torch.empty(size).exponential_(generator=generator)
        return -torch.log(exponential.clamp_min(torch.finfo(torch.float32).tiny))
