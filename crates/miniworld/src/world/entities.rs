//! People, places, organisations and works: indices into the tables of names that every lexicon spells out.

use spec::Split;

/// How many names each lexicon spells out. Given names: women first, then as many men.
pub const GIVEN_NAMES: usize = 48;
pub const FAMILY_NAMES: usize = 60;
pub const CITIES: usize = 44;
/// Cities `2c` and `2c + 1` lie in country `c`.
pub const COUNTRIES: usize = CITIES / 2;
pub const BRANDS: usize = 24;
pub const TITLES: usize = 24;
pub const PROFESSIONS: usize = 8;

/// The split a name belongs to: the splits share none. Of eight names in a row, five train, one validates and two test;
/// neighbours are spread so that regions, scripts and letters occur in each.
pub fn split_of_name(index: usize) -> Split {
    match index % 8 {
        2 => Split::Validation,
        4 | 7 => Split::Test,
        _ => Split::Train,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gender {
    Feminine,
    Masculine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Profession(pub usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Person {
    pub given: usize,
    pub family: usize,
}

impl Person {
    pub fn gender(self) -> Gender {
        if self.given < GIVEN_NAMES / 2 { Gender::Feminine } else { Gender::Masculine }
    }

    /// Everyone has one profession, fixed by the name.
    pub fn profession(self) -> Profession {
        Profession((self.given * 5 + self.family * 3) % PROFESSIONS)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country(pub usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct City(pub usize);

impl City {
    pub fn country(self) -> Country {
        Country(self.0 / 2)
    }
}

/// Where something happens: a city, or only the country is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    City(City),
    Country(Country),
}

impl Place {
    /// Whether being in `self` means being in `other`.
    pub fn within(self, other: Place) -> bool {
        self == other
            || matches!((self, other), (Place::City(city), Place::Country(country)) if city.country() == country)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstitutionKind {
    University,
    Museum,
    Bank,
    Hospital,
    Library,
}

impl InstitutionKind {
    pub const ALL: [Self; 5] = [Self::University, Self::Museum, Self::Bank, Self::Hospital, Self::Library];
}

/// An organisation named after its city.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Institution {
    pub kind: InstitutionKind,
    pub city: City,
}

/// An organisation with a brand for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Company(pub usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkKind {
    Novel,
    Film,
    Opera,
}

impl WorkKind {
    pub const ALL: [Self; 3] = [Self::Novel, Self::Film, Self::Opera];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Work {
    pub kind: WorkKind,
    pub title: usize,
}

/// What a company opens several of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    Factory,
    School,
    Shop,
    Hotel,
    Restaurant,
}

impl Thing {
    pub const ALL: [Self; 5] = [Self::Factory, Self::School, Self::Shop, Self::Hotel, Self::Restaurant];
}

/// Why an institution closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    Fire,
    Flood,
    Earthquake,
    Storm,
    Strike,
    Epidemic,
}

impl Cause {
    pub const ALL: [Self; 6] = [Self::Fire, Self::Flood, Self::Earthquake, Self::Storm, Self::Strike, Self::Epidemic];
}

/// Who says so ("according to the archive").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    Archive,
    Newspaper,
    Report,
}
