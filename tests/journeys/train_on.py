"""Train on an export with TRL, for a program of its own: `python train_on.py EXPORT.jsonl`.

The models are tiny and made up here, so nothing is downloaded; what is tried is that `datasets`
reads the file and that both trainers take its columns as they are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

# By name, since they are an extra that few installations have.
datasets, tokenizers, transformers, trl = map(
    import_module, ("datasets", "tokenizers", "transformers", "trl")
)
WORDS_MAX = 500


def tokenizer_for(rows: list[dict[str, Any]]) -> Any:
    """A tokenizer that knows the words of these rows, with a chat template."""
    spoken = [m["content"] for row in rows for key in ("prompt", "chosen") for m in row[key]]
    words = sorted({word for text in spoken for word in text.split()})[:WORDS_MAX]
    known = ["<unk>", "<pad>", "<eos>", "user", "assistant", ":", *words]
    numbered = {word: number for number, word in enumerate(dict.fromkeys(known))}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbered, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    outer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", pad_token="<pad>", eos_token="<eos>"
    )
    outer.chat_template = (
        "{% for m in messages %}{{ m['role'] }} : {{ m['content'] }} {% endfor %}"
        "{% if add_generation_prompt %}assistant : {% endif %}"
    )
    return outer


def main(path: Path) -> None:
    """Load, train two steps each, print what was seen as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        rows = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=folder)
        few = rows.select(range(min(8, len(rows))))
        tokenizer = tokenizer_for(list(few))
        shape = transformers.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            pad_token_id=1,
            eos_token_id=2,
            num_labels=1,
        )
        how: dict[str, Any] = {
            "output_dir": folder,
            "max_steps": 2,
            "max_length": 128,
            "per_device_train_batch_size": 2,
            "report_to": [],
            "save_strategy": "no",
            "use_cpu": True,
            "bf16": False,
            "disable_tqdm": True,
        }
        reward = trl.RewardTrainer(
            model=transformers.LlamaForSequenceClassification(shape),
            args=trl.RewardConfig(**how),
            train_dataset=few,
            processing_class=tokenizer,
        )
        preference = trl.DPOTrainer(
            model=transformers.LlamaForCausalLM(shape),
            ref_model=transformers.LlamaForCausalLM(shape),
            args=trl.DPOConfig(**how),
            train_dataset=few,
            processing_class=tokenizer,
        )
        seen = {
            "rows": len(rows),
            "columns": sorted(rows.column_names),
            "reward_loss": reward.train().training_loss,
            "preference_loss": preference.train().training_loss,
        }
    sys.stdout.write("\n" + json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
