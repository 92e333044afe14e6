use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::SpecError;
use crate::error::{hint, nearest};

/// A language by its shortest ISO 639 code: two letters where 639-1 has them, else three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Language(&'static str);

impl Language {
    pub const ENGLISH: Language = Language("en");

    /// Reads an ISO 639-1 or 639-3 code; individual languages of a macrolanguage (`cmn`, `swh`, `pes`) give its code.
    ///
    /// # Errors
    /// [`SpecError::UnknownLanguage`], with the nearest known code.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let code = ALIASES.iter().find(|(alias, _)| *alias == text).map_or(text, |(_, code)| code);
        LANGUAGES
            .iter()
            .find(|(short, long, _)| *short == code || *long == code)
            .map(|(short, ..)| Language(short))
            .ok_or_else(|| SpecError::UnknownLanguage {
                text: text.to_owned(),
                hint: hint(
                    LANGUAGES
                        .iter()
                        .find(|(_, _, name)| name.eq_ignore_ascii_case(text))
                        .map(|(short, ..)| *short)
                        .or_else(|| nearest(text, LANGUAGES.iter().map(|(short, ..)| *short))),
                ),
            })
    }

    pub fn code(self) -> &'static str {
        self.0
    }

    /// The ISO 639-3 code, as URIEL and Tatoeba use it.
    pub fn code3(self) -> &'static str {
        self.row().1
    }

    pub fn english_name(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (&'static str, &'static str, &'static str) {
        LANGUAGES.iter().find(|(short, ..)| *short == self.0).unwrap_or(&("", "", ""))
    }
}

// By hand: the derive would demand input that lives for ever, because the code is a `&'static str`.
impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl std::str::FromStr for Language {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::parse(text)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0.to_owned()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// Individual languages that data sets use where the others use their macrolanguage, and the older spelling of Norwegian.
const ALIASES: &[(&str, &str)] = &[
    ("arb", "ar"),
    ("cmn", "zh"),
    ("ekk", "et"),
    ("lvs", "lv"),
    ("nb", "no"),
    ("nob", "no"),
    ("pes", "fa"),
    ("swh", "sw"),
    ("zsm", "ms"),
];

/// (shortest code, ISO 639-3 code, English name), sorted.
#[rustfmt::skip]
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("af", "afr", "Afrikaans"),
    ("am", "amh", "Amharic"),
    ("ang", "ang", "Old English"),
    ("ar", "ara", "Arabic"),
    ("arq", "arq", "Algerian Arabic"),
    ("arz", "arz", "Egyptian Arabic"),
    ("as", "asm", "Assamese"),
    ("ast", "ast", "Asturian"),
    ("awa", "awa", "Awadhi"),
    ("az", "aze", "Azerbaijani"),
    ("be", "bel", "Belarusian"),
    ("ber", "ber", "Berber"),
    ("bg", "bul", "Bulgarian"),
    ("bm", "bam", "Bambara"),
    ("bn", "ben", "Bengali"),
    ("bo", "bod", "Tibetan"),
    ("br", "bre", "Breton"),
    ("bs", "bos", "Bosnian"),
    ("ca", "cat", "Catalan"),
    ("cbk", "cbk", "Chavacano"),
    ("ceb", "ceb", "Cebuano"),
    ("cha", "cha", "Chamorro"),
    ("cor", "cor", "Cornish"),
    ("cs", "ces", "Czech"),
    ("csb", "csb", "Kashubian"),
    ("cy", "cym", "Welsh"),
    ("da", "dan", "Danish"),
    ("de", "deu", "German"),
    ("dsb", "dsb", "Lower Sorbian"),
    ("dtp", "dtp", "Central Dusun"),
    ("ee", "ewe", "Ewe"),
    ("el", "ell", "Greek"),
    ("en", "eng", "English"),
    ("eo", "epo", "Esperanto"),
    ("es", "spa", "Spanish"),
    ("et", "est", "Estonian"),
    ("eu", "eus", "Basque"),
    ("fa", "fas", "Persian"),
    ("fi", "fin", "Finnish"),
    ("fo", "fao", "Faroese"),
    ("fon", "fon", "Fon"),
    ("fr", "fra", "French"),
    ("fy", "fry", "Western Frisian"),
    ("ga", "gle", "Irish"),
    ("gd", "gla", "Scottish Gaelic"),
    ("gl", "glg", "Galician"),
    ("gsw", "gsw", "Swiss German"),
    ("gu", "guj", "Gujarati"),
    ("ha", "hau", "Hausa"),
    ("he", "heb", "Hebrew"),
    ("hi", "hin", "Hindi"),
    ("hr", "hrv", "Croatian"),
    ("hsb", "hsb", "Upper Sorbian"),
    ("ht", "hat", "Haitian Creole"),
    ("hu", "hun", "Hungarian"),
    ("hy", "hye", "Armenian"),
    ("ia", "ina", "Interlingua"),
    ("id", "ind", "Indonesian"),
    ("ido", "ido", "Ido"),
    ("ig", "ibo", "Igbo"),
    ("ile", "ile", "Interlingue"),
    ("is", "isl", "Icelandic"),
    ("it", "ita", "Italian"),
    ("ja", "jpn", "Japanese"),
    ("jv", "jav", "Javanese"),
    ("ka", "kat", "Georgian"),
    ("kab", "kab", "Kabyle"),
    ("kk", "kaz", "Kazakh"),
    ("km", "khm", "Khmer"),
    ("kn", "kan", "Kannada"),
    ("ko", "kor", "Korean"),
    ("ku", "kur", "Kurdish"),
    ("ky", "kir", "Kirghiz"),
    ("kzj", "kzj", "Coastal Kadazan"),
    ("la", "lat", "Latin"),
    ("lb", "ltz", "Luxembourgish"),
    ("lfn", "lfn", "Lingua Franca Nova"),
    ("lg", "lug", "Ganda"),
    ("lo", "lao", "Lao"),
    ("lt", "lit", "Lithuanian"),
    ("luo", "luo", "Luo"),
    ("lv", "lav", "Latvian"),
    ("max", "max", "North Moluccan Malay"),
    ("mg", "mlg", "Malagasy"),
    ("mhr", "mhr", "Meadow Mari"),
    ("mk", "mkd", "Macedonian"),
    ("ml", "mal", "Malayalam"),
    ("mn", "mon", "Mongolian"),
    ("mos", "mos", "Mossi"),
    ("mr", "mar", "Marathi"),
    ("ms", "msa", "Malay"),
    ("mt", "mlt", "Maltese"),
    ("my", "mya", "Burmese"),
    ("nds", "nds", "Low German"),
    ("ne", "nep", "Nepali"),
    ("nl", "nld", "Dutch"),
    ("nn", "nno", "Norwegian Nynorsk"),
    ("no", "nor", "Norwegian"),
    ("nov", "nov", "Novial"),
    ("ny", "nya", "Nyanja"),
    ("oc", "oci", "Occitan"),
    ("or", "ori", "Oriya"),
    ("orv", "orv", "Old East Slavic"),
    ("pa", "pan", "Punjabi"),
    ("pam", "pam", "Kapampangan"),
    ("pcm", "pcm", "Nigerian Pidgin"),
    ("pl", "pol", "Polish"),
    ("pms", "pms", "Piedmontese"),
    ("ps", "pus", "Pushto"),
    ("pt", "por", "Portuguese"),
    ("qu", "que", "Quechua"),
    ("ro", "ron", "Romanian"),
    ("ru", "rus", "Russian"),
    ("rw", "kin", "Kinyarwanda"),
    ("sa", "san", "Sanskrit"),
    ("sd", "snd", "Sindhi"),
    ("sh", "hbs", "Serbo-Croatian"),
    ("si", "sin", "Sinhala"),
    ("sk", "slk", "Slovak"),
    ("sl", "slv", "Slovenian"),
    ("sn", "sna", "Shona"),
    ("so", "som", "Somali"),
    ("sq", "sqi", "Albanian"),
    ("sr", "srp", "Serbian"),
    ("su", "sun", "Sundanese"),
    ("sv", "swe", "Swedish"),
    ("sw", "swa", "Swahili"),
    ("swg", "swg", "Swabian"),
    ("ta", "tam", "Tamil"),
    ("te", "tel", "Telugu"),
    ("tg", "tgk", "Tajik"),
    ("th", "tha", "Thai"),
    ("tk", "tuk", "Turkmen"),
    ("tl", "tgl", "Tagalog"),
    ("tn", "tsn", "Tswana"),
    ("tr", "tur", "Turkish"),
    ("tt", "tat", "Tatar"),
    ("tw", "twi", "Twi"),
    ("tzl", "tzl", "Talossan"),
    ("ug", "uig", "Uyghur"),
    ("uk", "ukr", "Ukrainian"),
    ("ur", "urd", "Urdu"),
    ("uz", "uzb", "Uzbek"),
    ("vi", "vie", "Vietnamese"),
    ("war", "war", "Waray"),
    ("wo", "wol", "Wolof"),
    ("wuu", "wuu", "Wu Chinese"),
    ("xh", "xho", "Xhosa"),
    ("yi", "yid", "Yiddish"),
    ("yo", "yor", "Yoruba"),
    ("yue", "yue", "Cantonese"),
    ("zh", "zho", "Chinese"),
    ("zu", "zul", "Zulu"),
];
