//! The crate from outside, with Meta's samples and a server in Meta's place.

mod bodies;
mod calls;
mod contract;
mod fields;
mod fixtures;
mod fuzz;
mod health;
mod limits;
mod media;
mod parsing;
mod samples;
mod sends;
