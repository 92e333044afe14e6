//! Names that the languages in Latin script spell alike.

use crate::world::{BRANDS, FAMILY_NAMES, GIVEN_NAMES};

pub(super) const GIVEN: [&str; GIVEN_NAMES] = [
    "Anna", "Maria", "Elena", "Laura", "Nina", "Sara", "Marta", "Olga", "Irina", "Sofia", "Amina", "Leila", "Clara",
    "Julia", "Eva", "Victoria", "Diana", "Emma", "Rosa", "Lina", "Vera", "Natalia", "Alina", "Helena", "Ivan",
    "Martin", "Daniel", "Adam", "Viktor", "Robert", "Thomas", "Omar", "Karim", "Hassan", "Leon", "Oscar", "Hugo",
    "Felix", "Simon", "Anton", "Erik", "Oliver", "Samuel", "Rafael", "Boris", "Marco", "Ali", "Pablo",
];

pub(super) const FAMILY: [&str; FAMILY_NAMES] = [
    "Novak", "Weber", "Becker", "Wagner", "Keller", "Klein", "Hoffmann", "Hartmann", "Berg", "Lindberg", "Hansen",
    "Larsen", "Olsen", "Dahl", "Lund", "Silva", "Costa", "Santos", "Romano", "Rossi", "Moretti", "Marino", "Morales",
    "Torres", "Vargas", "Ramos", "Molina", "Navarro", "Castillo", "Mendoza", "Khan", "Haddad", "Mansur", "Nasser",
    "Salem", "Rahman", "Farah", "Tanaka", "Sato", "Mori", "Yamada", "Nakamura", "Mehta", "Gupta", "Kapoor", "Kaya",
    "Demir", "Arslan", "Okoro", "Mensah", "Kamau", "Parker", "Carter", "Miller", "Cooper", "Turner", "Walker",
    "Nelson", "Bennett", "Grant",
];

pub(super) const BRAND: [&str; BRANDS] = [
    "Orion", "Vega", "Atlas", "Aurora", "Delta", "Omega", "Sirius", "Titan", "Nova", "Luna", "Helios", "Argo", "Lotus",
    "Condor", "Mira", "Altair", "Rigel", "Polaris", "Sigma", "Gamma", "Zenit", "Fortuna", "Kronos", "Astra",
];
