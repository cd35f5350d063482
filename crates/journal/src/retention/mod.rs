//! Deletes what is too old or too much, and rolls sums up, a little at a time.
//!
//! Every step is a short transaction, bounded in rows and in bytes of bodies: new records and other
//! instances never wait long for it. Freed pages go back to the file system in small steps too.
//!
//! | module | does |
//! | --- | --- |
//! | `stages` | decides what is next |
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
