//! Knobs that are written in one of several forms: a number, a word, a list or a table.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// What such a knob makes of each form; what it does not take is refused with [`SeveralForms::FORMS`].
pub(crate) trait SeveralForms: Sized {
    /// `a number or "inverse-lr"`.
    const FORMS: &'static str;

    fn of_number<E: Error>(number: f64) -> Result<Self, E> {
        Err(E::invalid_type(Unexpected::Float(number), &Self::FORMS))
    }

    fn of_count<E: Error>(count: u64) -> Result<Self, E> {
        Self::of_number(count as f64)
    }

    fn of_word<E: Error>(word: StrDeserializer<E>) -> Result<Self, E> {
        let _ = word;
        Err(E::invalid_type(Unexpected::Other("a word"), &Self::FORMS))
    }

    fn of_list<'de, A: SeqAccess<'de>>(_list: SeqAccessDeserializer<A>) -> Result<Self, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Seq, &Self::FORMS))
    }

    fn of_table<'de, A: MapAccess<'de>>(_table: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Map, &Self::FORMS))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms(PhantomData))
    }
}

struct Forms<T>(PhantomData<T>);

impl<'de, T: SeveralForms> Visitor<'de> for Forms<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::FORMS)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::of_number(number)
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<T, E> {
        T::of_count(count)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(count) => T::of_count(count),
            Err(_) => T::of_number(number as f64),
        }
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        T::of_word(StrDeserializer::new(word))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::of_list(SeqAccessDeserializer::new(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<T, A::Error> {
        T::of_table(MapAccessDeserializer::new(table))
    }
}
