//! An incremental reader of server-sent events (WHATWG HTML, "Server-sent events"), as the clients read them.
//!
//! Only the fields `event` and `data` matter. Lines end in LF, CRLF or CR, also mixed; a byte order mark may
//! stand before any line, as the TypeScript SDK allows. An event ends with the first byte of its blank line's
//! end, so a stream of CR lines waits for nothing.
//!
//! An event that is whole within one chunk is read in place; only the rest of a chunk is kept. Memory is
//! bounded: of an event longer than [`MAX_READ`] the beginning and the name are kept, wherever the name
//! stands, and no data. An event longer than [`MAX_EVENT`] is refused.

mod behind;
mod blank_line;
mod event;
mod limits;
mod line;
mod reader;
#[cfg(test)]
mod tests;

pub use event::Event;
pub use limits::{MAX_EVENT, MAX_READ};
pub use reader::{Oversized, Reader};
