//! The border around a router, as a caller sees it.

mod border;
