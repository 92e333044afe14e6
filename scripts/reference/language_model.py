"""Reference values for the language-model head and the ranking loss of crates/model from PyTorch and transformers.

    language_model.py --tiny            rewrites crates/model/tests/reference/{bert,xlm-roberta}-masked/
    language_model.py --check FOLDER    loads FOLDER as a masked language model and compares its logits with check.json

Computed in float64, as in model.py. Versions the committed files were made with: torch 2.15.0, transformers 5.23.0.
"""

import argparse
import json
from pathlib import Path

import torch
from model import CLIP, IGNORED, REFERENCE, STEPS, WARM_UP, mask_of, tensors_of, tiny_batch
from safetensors.torch import save_file
from transformers import AutoModelForMaskedLM, BertConfig, XLMRobertaConfig

SCALE = 20.0


def masked_batch(config, lengths, seq, generator):
    """A batch with `tokens`: about a third of the real tokens, and in every case one."""
    batch = tiny_batch(config, "tokens", lengths, seq, generator)
    del batch["labels"]
    hidden = (torch.rand(batch["ids"].shape, generator=generator) < 0.35) & mask_of(lengths, seq).bool()
    hidden[0, 1] = True
    batch["tokens"] = torch.where(hidden, batch["ids"], IGNORED)
    batch["ids"] = torch.where(hidden, 4, batch["ids"])
    return batch


def masked_loss(model, batch):
    out = model(
        input_ids=batch["ids"],
        attention_mask=mask_of(batch["lengths"], batch["ids"].shape[1]),
        token_type_ids=batch["type_ids"],
        labels=batch["tokens"],
    )
    return out.logits[batch["tokens"] != IGNORED], out.loss


def ranking_loss(model, batch):
    """Mean-pooled unit vectors; cross-entropy of the diagonal of 20 x cosine, over rows and over columns."""
    mask = mask_of(batch["lengths"], batch["ids"].shape[1])
    hidden = model.base_model(
        input_ids=batch["ids"], attention_mask=mask, token_type_ids=batch["type_ids"]
    ).last_hidden_state
    weights = mask[:, :, None].double()
    vectors = torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)
    pairs = len(vectors) // 2
    similarities = SCALE * vectors[:pairs] @ vectors[pairs:].T
    diagonal = torch.arange(pairs)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(similarities, diagonal) + cross_entropy(similarities.T, diagonal)) / 2


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    words = f"{model.base_model_prefix}.embeddings.word_embeddings.weight"
    named = {"lm_head.decoder.weight": words, "cls.predictions.decoder.weight": words}
    found = {named.get(name, name): parameter.grad for name, parameter in model.named_parameters()}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def curve(model, batches, ranked, learning_rate, weight_decay):
    """Losses of STEPS steps: masked tokens three times, then translations once."""
    plain = [p for name, p in model.named_parameters() if p.dim() == 1]
    decayed = [p for name, p in model.named_parameters() if p.dim() > 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for step in range(STEPS):
        factor = step / WARM_UP if step < WARM_UP else (STEPS - step) / (STEPS - WARM_UP)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * factor
        optimizer.zero_grad()
        loss = ranking_loss(model, ranked) if step % 4 == 3 else masked_loss(model, batches[step % len(batches)])[1]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def write_tiny():
    shared = dict(
        vocab_size=120,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        initializer_range=0.3,
    )
    families = {
        "bert": BertConfig(**shared, max_position_embeddings=16, type_vocab_size=2, pad_token_id=0),
        "xlm-roberta": XLMRobertaConfig(
            **shared, max_position_embeddings=18, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5
        ),
    }
    for family, config in families.items():
        generator = torch.Generator().manual_seed(300)
        torch.manual_seed(19)
        model = AutoModelForMaskedLM.from_config(config, attn_implementation="eager")
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                offset = 1.0 if name.endswith(("LayerNorm.weight", "layer_norm.weight")) else 0.0
                parameter.data = offset + 0.2 * torch.randn(parameter.shape)
        folder = REFERENCE / f"{family}-masked"
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        model = model.double().eval()

        batch = masked_batch(config, [11, 2, 7, 9], 11, generator)
        ranked = tiny_batch(config, "tokens", [5, 9, 1, 7, 8, 3], 9, generator)
        del ranked["labels"]
        logits, loss = masked_loss(model, batch)
        expected = tensors_of("batch", batch) | tensors_of("ranked", ranked)
        expected |= {"logits": logits.detach(), "loss": loss.detach()[None]}
        scores = torch.nn.functional.cross_entropy(
            logits.detach(), batch["tokens"][batch["tokens"] != IGNORED], reduction="none"
        )
        expected |= {"scores": scores, "best": logits.argmax(1).to(torch.int32)}
        expected |= {f"gradient/{name}": value for name, value in gradients(model, loss).items()}
        rank = ranking_loss(model, ranked)
        expected |= {"ranking": rank.detach()[None]}
        expected |= {f"ranking-gradient/{name}": value for name, value in gradients(model, rank).items()}
        batches = [
            masked_batch(config, lengths, max(lengths), generator) for lengths in ([8, 8, 8, 8], [3, 10, 6, 1], [5, 4])
        ]
        for number, train in enumerate(batches):
            expected |= tensors_of(f"train{number}", train)
        losses = curve(model, batches, ranked, 2e-3, 0.01)
        expected |= {"curve": torch.tensor(losses)}
        expected = {
            name: (value.float() if value.is_floating_point() else value).clone().contiguous()
            for name, value in expected.items()
        }
        save_file(expected, folder / "expected.safetensors")
        print(f"{folder.name}: loss {float(loss.detach()):.6f}, ranking {float(rank.detach()):.6f}, curve {losses[0]:.4f} to {losses[-2]:.4f}")


def check(folder):
    """Loads a folder as a user would; what it must not complain about is anything that a masked language model needs."""
    expected = json.loads((folder / "check.json").read_text())
    model, report = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    wrong = {key: value for key, value in report.items() if value}
    if expected["task_head"]:
        wrong.pop("unexpected_keys", None)
    assert not wrong, f"transformers complains: {wrong}"
    ids, tokens = torch.tensor(expected["ids"]), torch.tensor(expected["tokens"])
    out = model.eval()(
        input_ids=ids,
        attention_mask=mask_of(expected["lengths"], ids.shape[1]),
        token_type_ids=torch.tensor(expected["type_ids"]),
    )
    scores = torch.nn.functional.cross_entropy(out.logits[tokens != IGNORED], tokens[tokens != IGNORED], reduction="none")
    difference = float((scores - torch.tensor(expected["scores"])).abs().max())
    assert difference < 1e-4, f"losses differ by {difference}"
    print(f"{type(model).__name__}: losses of masked tokens differ by at most {difference:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--check", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.tiny:
        write_tiny()
    elif arguments.check:
        check(arguments.check)
    else:
        parser.error("say --tiny or --check")


if __name__ == "__main__":
    main()
