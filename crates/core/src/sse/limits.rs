//! How long an event may be, in bytes.

/// The maximum length of an event whose data is read. Events with tokens have some hundred bytes; only whole
/// results of server tools are longer.
pub const MAX_READ: usize = 256 * 1024;

/// The maximum length of an event. Anything longer is an endless line.
pub const MAX_EVENT: usize = 8 * 1024 * 1024;
