//! The real binary, end to end, on a tiny random encoder and small made-up data.

mod backends;
mod bad_input;
mod built_in;
mod crash;
mod languages;
mod limits;
mod methods;
mod pretrain;
mod reuse;
mod streams;
mod subnetworks;
mod sweep;
mod tasks;
mod tools;
mod tuning;
mod world;
