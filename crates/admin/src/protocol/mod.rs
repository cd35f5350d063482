//! What server and client have to agree on.
//!
//! | module | is |
//! | --- | --- |
//! | [`path`] | what is asked where |
//! | [`query`] | the parameters of a question, written and read |
//! | [`refusal`] | an error on the wire |
//! | [`events`] | the stream of snapshots |
//! | [`sign_in`] | what signs a browser in |

pub(crate) mod events;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod sign_in;
