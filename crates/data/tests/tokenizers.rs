//! Tokenizers of other people's model folders.

mod common;

use std::fs;

use common::{tiny_encoder, tokenization};
use data::Tokenization;
use tempfile::TempDir;

#[test]
fn hostile_tokenizers_are_refused() {
    let place = TempDir::new().unwrap();
    let (tokenizer, config) = (place.path().join("tokenizer.json"), place.path().join("config.json"));
    let good = fs::read_to_string(tiny_encoder().join("tokenizer.json")).unwrap();
    let good_config = fs::read_to_string(tiny_encoder().join("config.json")).unwrap();
    let load = |text: &str, config_text: &str| {
        fs::write(&tokenizer, text).unwrap();
        fs::write(&config, config_text).unwrap();
        Tokenization::load(place.path())
    };
    let whole = load(&good, &good_config).unwrap();
    assert_eq!((whole.hash().len(), whole.pad_id(), whole.longest()), (64, 0, Some(96)));
    assert_eq!(whole.hash(), tokenization().hash());
    let refused = |text: &str, config: &str, word: &str| {
        let message = load(text, config).unwrap_err().to_string();
        assert!(message.contains(".json") && message.contains(word), "`{message}` does not say `{word}`");
    };
    refused("", &good_config, "tokenizer.json");
    refused(&good[..good.len() / 2], &good_config, "tokenizer.json");
    refused(&"[".repeat(1 << 20), &good_config, "tokenizer.json");
    refused("{\"model\":{}}", &good_config, "tokenizer.json");
    refused(&good, "{", "config.json");
    refused(&good, "{\"pad_token_id\": -1}", "config.json");
    refused(&good, "{\"vocab_size\": 3}", "vocab_size 3");
    let mut unframed: serde_json::Value = serde_json::from_str(&good).unwrap();
    unframed["post_processor"] = serde_json::Value::Null;
    refused(&unframed.to_string(), &good_config, "special token");
    fs::remove_file(&config).unwrap();
    assert!(Tokenization::load(place.path()).unwrap_err().to_string().contains("config.json"));
    // Sparse: nothing is written, yet the size is that of a bomb.
    fs::File::create(&tokenizer).unwrap().set_len(300_000_000).unwrap();
    assert!(Tokenization::load(place.path()).unwrap_err().to_string().contains("300000000 bytes"));
}
