//! An incremental reader of server-sent events (WHATWG HTML, "Server-sent events"), as the clients read them.
//!
//! Only the fields `event` and `data` matter. Lines end in LF, CRLF or CR, also mixed. A byte order mark may
//! be before any line, as in the TypeScript SDK. An event ends with the first byte of the blank line's end,
//! so a stream with CR lines never waits.
//!
//! An event that is whole within one chunk is read in place; only the rest of a chunk is kept. Memory is
//! limited: of an event longer than [`MAX_READ`] only the beginning and the name are kept, wherever the name
//! is, and no data. An event longer than [`MAX_EVENT`] is refused.

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
