//! Requests by filter and by word.
//!
//! Nothing here walks through all requests. What is asked for is first looked up among shapes and strings,
//! of which there are few. These say in which blocks a request can be, and only those blocks are read, from
//! the end that is asked for, until the page is full. Blocks are taken in windows that grow: a frequent
//! match is in the first one, a rare match costs a few look-ups.
//!
//! | module | has |
//! | --- | --- |
//! | `page` | a page of the requests that match |
//! | `walk`, `window` | from one end through windows of blocks |
//! | `filter`, `shapes` | a filter as numbers of strings and shapes |
//! | `word`, `trigrams` | where a word occurs |
//! | `candidate` | what is compared of a request |

mod candidate;
mod filter;
mod page;
mod shapes;
mod trigrams;
mod walk;
mod window;
mod word;

pub(crate) use self::page::page;
