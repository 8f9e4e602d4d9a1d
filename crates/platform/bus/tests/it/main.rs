//! The bus against a real broker and a real database, each test with its own of both. Where the
//! network matters, a proxy stands in between: the broker itself is shared and never restarted.

mod broker_faults;
mod consuming;
mod dead_letters;
mod publishing;
mod relaying;
mod stage;
mod starting;
