//! The agreement between server and client.
//!
//! | module | is |
//! | --- | --- |
//! | [`path`] | the paths of the API |
//! | [`query`] | the parameters of a question, written and read |
//! | [`refusal`] | an error on the wire |
//! | [`events`] | the stream of snapshots |
//! | [`confirmation`] | the answer to a confirmation |
//! | [`sign_in`] | the data that sign a browser in |

pub(crate) mod confirmation;
pub(crate) mod events;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod sign_in;
