//! What a client's user sees while endpoints fail: nothing, or an honest error.

mod connected;
mod faults;
mod faulty;
mod relays;
mod unnoticed;
