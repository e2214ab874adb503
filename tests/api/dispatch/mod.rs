//! Calls by name, registered libraries and registered functions. Registrations are global and stay, so each test has a
//! process of its own.

mod errors;
mod every_function;
mod external;
mod libraries;
mod like;
mod numpy_registered;
mod panics;
mod registration;
mod toys;
mod wrong_arguments;
