//! What every program that runs an engine needs from its system.
//!
//! Not for endpoints, and not for what a program shows: only for the process itself.
//!
//! | module | is |
//! | --- | --- |
//! | [`address`] | where clients on this machine reach what listens |
//! | [`colours`] | whether a stream takes colours |
//! | [`descriptors`] | the limit of open files |
//! | [`language`] | which language to speak |
//! | [`logging`] | log lines on stderr and in daily files |
//! | [`runtime`] | the runtime of a program |
//! | [`signals`] | what the system tells a program |

pub mod address;
pub mod colours;
pub mod descriptors;
pub mod language;
pub mod logging;
pub mod runtime;
pub mod signals;
