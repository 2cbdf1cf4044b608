"""A tiny random model for tests: real files, real tokenizer and chat template, made in about a second."""

import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftkit.records import Model

VOCABULARY = 400
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>'"
    " + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_TEXT = [
    "Sort the support message. Reply with JSON: category, priority, summary.",
    '{"category": "billing", "priority": "high", "summary": "charged twice for one order"}',
    '{"category": "delivery", "priority": "low", "summary": "parcel is late"}',
    "system user assistant my parcel is late and the kettle will not boil; I was charged twice",
    "Merhaba, siparişim gecikti; çaydanlık ısınmıyor. İyi günler, teşekkürler.",
]


def make_tiny_model(folder: Path, *, context_length: int = 512, seed: int = 0) -> Path:
    """Write a random two-layer Llama with a byte-level tokenizer into ``folder``, and return the folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,  # tied, a random model only repeats its last token
    )
    model = LlamaForCausalLM(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    record = Model(
        id=folder.name,
        name="Tiny random model",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        source=str(folder),
        license="Apache-2.0",
        parameters=model.num_parameters(),
        context_length=context_length,
        architecture={
            "hidden": 64,
            "layers": 2,
            "intermediate": 128,
            "key_value": 32,
            "vocabulary": len(tokenizer),
        },
    )
    (folder / "model.json").write_text(json.dumps(record.model_dump(mode="json")))
    return folder


def make_tiny_t5(folder: Path, *, seed: int = 0) -> Path:
    """Write a random T5 of two layers on each side, with an output layer of its own as Flan-T5 has it."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_t5_tokenizer()
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=64,
        d_kv=16,
        d_ff=128,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = T5ForConditionalGeneration(config)
    model.lm_head.weight = torch.nn.Parameter(torch.randn(len(tokenizer), 64) * 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    record = Model(
        id=folder.name,
        name="Tiny random T5",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        source=str(folder),
        license="Apache-2.0",
        parameters=model.num_parameters(),
        architecture={
            "hidden": 64,
            "layers": 2,
            "decoder_layers": 2,
            "heads": 4,
            "intermediate": 128,
            "key_value": 64,
            "vocabulary": len(tokenizer),
        },
    )
    (folder / "model.json").write_text(json.dumps(record.model_dump(mode="json")))
    return folder


def make_tiny_adapter(
    model_folder: Path, folder: Path, *, seed: int = 1, scale: float = 0.5, **options: Any
) -> Path:
    """Write a LoRA adapter that visibly changes the tiny model, as training would leave it."""
    import torch
    from peft import LoraConfig, get_peft_model

    from ftkit.workers.loading import load_model, quiet_peft

    base = load_model(model_folder, torch.float32)
    task = "SEQ_2_SEQ_LM" if base.config.is_encoder_decoder else "CAUSAL_LM"
    with quiet_peft():
        config = LoraConfig(r=4, target_modules="all-linear", task_type=task, **options)
        model = get_peft_model(base, config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:  # zero at the start: without this the adapter would change nothing
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    model.save_pretrained(folder)
    return folder


def tiny_t5_tokenizer() -> Any:
    """T5's own tokenizer over a small vocabulary; it knows no ``{`` and no ``ş``, as the real one."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Tokenizer

    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    trained.train_from_iterator(
        [text.translate({ord(sign): None for sign in "{}ş"}) for text in _TEXT * 4],
        trainers.UnigramTrainer(
            vocab_size=200,
            special_tokens=["<pad>", "</s>", "<unk>"],
            unk_token="<unk>",
            initial_alphabet=list("▁abcdefghijklmnopqrstuvwxyz0123456789"),
            show_progress=False,
        ),
    )
    pieces = json.loads(trained.to_str())["model"]["vocab"]
    return T5Tokenizer(vocab=[tuple(piece) for piece in pieces], extra_ids=2)


def tiny_tokenizer() -> Any:
    """A byte-level BPE of about ``VOCABULARY`` tokens with ChatML markers and chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        _TEXT * 4,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        chat_template=CHAT_TEMPLATE,
        model_max_length=8192,
    )
