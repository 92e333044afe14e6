//! The abstract world: who and what there is, what happens, and what follows from it. No language yet.

mod causation;
mod draw;
mod entities;
mod event;
mod logic;

pub use causation::brings_about;
pub use draw::{Draw, Pool};
pub use entities::{
    BRANDS, CITIES, COUNTRIES, Cause, City, Company, Country, FAMILY_NAMES, GIVEN_NAMES, Gender, Institution,
    InstitutionKind, PROFESSIONS, Person, Place, Profession, Source, TITLES, Thing, Work, WorkKind, split_of_name,
};
pub use event::{Event, Fact, Role};
pub use logic::{Label, relation};
