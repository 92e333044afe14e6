"""Makes tests/fixtures/tiny-encoder: a random BERT of 2 layers x 32 with a character WordPiece tokenizer.

Usage: python scripts/reference/tiny_encoder.py tests/fixtures/tiny-encoder
Needs: torch, transformers, tokenizers.
"""

import sys

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

folder = sys.argv[1]
letters = [chr(c) for c in range(ord("!"), ord("~") + 1)] + list("äöüßéñ") + list("абвгдежзийклмнопрстуфхцчшщъыьэюя")
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + ["##" + letter for letter in letters]
vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))

torch.manual_seed(7)
config = BertConfig(
    vocab_size=len(vocabulary),
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=96,
    type_vocab_size=2,
    pad_token_id=0,
    initializer_range=0.1,
)
model = BertModel(config, add_pooling_layer=False)
model.save_pretrained(folder, safe_serialization=True)
tokenizer.save(f"{folder}/tokenizer.json")
