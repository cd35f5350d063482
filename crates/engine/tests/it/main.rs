//! A running engine on loopback sockets, against scripted endpoints.

mod after_a_break;
mod brownout;
mod cancel;
#[path = "../common/mod.rs"]
mod common;
mod control;
mod credentials;
mod diagnosis;
mod ends;
mod fastest;
mod faults;
mod fleet;
mod forms;
mod fuzz_http;
mod guard;
mod hedge_costs;
mod hedging;
mod hold;
mod journal;
mod keychain;
mod limits;
mod log_lines;
mod memory;
mod metrics;
mod models;
mod offline;
mod probes;
mod proxy;
mod records;
mod reload;
mod subjects;
mod thinking;
mod validation;
mod wake;
