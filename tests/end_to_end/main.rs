//! The real binary, end to end, on a tiny random encoder and small made-up data.

mod backends;
mod bad_input;
mod built_in;
mod crash;
mod damage;
mod faults;
mod languages;
mod limits;
mod methods;
mod pretrain;
mod reuse;
mod save;
mod streams;
mod subnetworks;
mod sweep;
mod tasks;
mod tools;
mod tuning;
mod world;
