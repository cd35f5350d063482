//! The things that a program with an engine needs from its system.
//!
//! This crate is about the process itself. It knows no endpoints, and nothing of what a program shows.
//!
//! | module | is |
//! | --- | --- |
//! | [`address`] | the URL of a listener for clients on this machine |
//! | [`colours`] | whether a stream takes colours |
//! | [`data_folder`] | the data folder, for nobody but its user |
//! | [`descriptors`] | the limit of open files |
//! | [`holder`] | the program that has a port, and its user |
//! | [`language`] | the language to speak |
//! | [`logging`] | log lines on stderr and in daily files |
//! | [`runtime`] | the runtime of a program |
//! | [`signals`] | the system's signals to a program |

pub mod address;
pub mod colours;
pub mod data_folder;
pub mod descriptors;
pub mod holder;
pub mod language;
pub mod logging;
pub mod runtime;
pub mod signals;
