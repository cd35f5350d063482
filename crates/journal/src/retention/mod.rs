//! Deletes old records, keeps the file below its limit, and rolls sums up, a little at a time.
//!
//! Every step is a short transaction, bounded in rows and in bytes of bodies. So new records and other
//! instances never wait long. Freed pages go back to the file system in small steps too.
//!
//! | module | does |
//! | --- | --- |
//! | `stages` | decides the next step |
//! | `requests` | deletes the oldest requests |
//! | `roll_up` | turns minutes into hours, and hours into days |
//! | `unused` | deletes strings and shapes that nothing refers to |
//! | `space` | measures what the file uses, and gives freed pages back |

mod progress;
mod requests;
mod roll_up;
mod space;
mod stages;
mod transaction;
mod unused;

pub(crate) use self::progress::Progress;
pub(crate) use self::space::used;
pub(crate) use self::stages::Retention;
