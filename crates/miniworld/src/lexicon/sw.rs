//! Swahili words.

use super::{Names, latin};

pub(crate) static NAMES: Names = Names {
    given: latin::GIVEN,
    family: latin::FAMILY,
    cities: [
        "Berlin",
        "Hamburg",
        "Paris",
        "Lyon",
        "Madrid",
        "Seville",
        "Roma",
        "Milano",
        "Lisbon",
        "Porto",
        "Moscow",
        "Kazan",
        "Istanbul",
        "Ankara",
        "Mumbai",
        "Delhi",
        "Kairo",
        "Aleksandria",
        "Beijing",
        "Shanghai",
        "Tokyo",
        "Osaka",
        "Nairobi",
        "Mombasa",
        "Athens",
        "Thessaloniki",
        "Warsaw",
        "Krakow",
        "Vienna",
        "Graz",
        "Budapest",
        "Debrecen",
        "Oslo",
        "Bergen",
        "Rabat",
        "Casablanca",
        "Guadalajara",
        "Monterrey",
        "Lima",
        "Cusco",
        "Toronto",
        "Montreal",
        "Dodoma",
        "Arusha",
    ],
    countries: [
        "Ujerumani",
        "Ufaransa",
        "Uhispania",
        "Italia",
        "Ureno",
        "Urusi",
        "Uturuki",
        "India",
        "Misri",
        "China",
        "Japani",
        "Kenya",
        "Ugiriki",
        "Poland",
        "Austria",
        "Hungaria",
        "Norwe",
        "Moroko",
        "Meksiko",
        "Peru",
        "Kanada",
        "Tanzania",
    ],
    brands: latin::BRAND,
    titles: [
        "Mto", "Bustani", "Daraja", "Mlima", "Bahari", "Kisiwa", "Msitu", "Dhoruba", "Jangwa", "Kioo", "Barua",
        "Mlango", "Dirisha", "Mnara", "Ndoto", "Mwezi", "Barabara", "Nyota", "Ufunguo", "Kivuli", "Bandari", "Saa",
        "Treni", "Baridi",
    ],
    professions: [
        ["daktari"; 2],
        ["mhandisi"; 2],
        ["mwalimu"; 2],
        ["wakili"; 2],
        ["mwanahabari"; 2],
        ["msanifu"; 2],
        ["mwanahistoria"; 2],
        ["mtafsiri"; 2],
    ],
};

/// Words, the connective "of" and the subject prefix of its noun class in the past.
pub(crate) struct Institution {
    pub noun: &'static [&'static str],
    pub of: &'static str,
    pub past: &'static str,
}

pub(crate) static INSTITUTIONS: [Institution; 5] = [
    Institution { noun: &["Chuo", "Kikuu"], of: "cha", past: "kili" },
    Institution { noun: &["Makumbusho"], of: "ya", past: "yali" },
    Institution { noun: &["Benki"], of: "ya", past: "ili" },
    Institution { noun: &["Hospitali"], of: "ya", past: "ili" },
    Institution { noun: &["Maktaba"], of: "ya", past: "ili" },
];
/// Noun and its past prefix.
pub(crate) static WORKS: [[&str; 2]; 3] = [["riwaya", "ili"], ["filamu", "ili"], ["opera", "ili"]];
/// Plural, and "how many" in its noun class.
pub(crate) static THINGS: [[&str; 2]; 5] =
    [["viwanda", "vingapi"], ["shule", "ngapi"], ["maduka", "mangapi"], ["hoteli", "ngapi"], ["mikahawa", "mingapi"]];
/// A noun, and perhaps what it is of.
pub(crate) static CAUSES: [(&str, Option<[&str; 2]>); 6] = [
    ("moto", None),
    ("mafuriko", None),
    ("tetemeko", Some(["la", "ardhi"])),
    ("dhoruba", None),
    ("mgomo", None),
    ("mlipuko", Some(["wa", "maradhi"])),
];
pub(crate) static SOURCES: [&str; 3] = ["nyaraka", "gazeti", "ripoti"];
