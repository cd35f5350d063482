//! Where secrets come from: the only module that turns a credential reference into a secret.
//!
//! There are two places: the environment with the `.env` beside the configuration, and the system's
//! keychain. A [`Vault`] is what both hold at one moment. It asks the keychain when it is opened: once
//! for everything, for a bounded time, and not at all if no reference names it. Nothing here asks a
//! person for anything.
//!
//! | module | is |
//! | --- | --- |
//! | `lookup` | what both places hold, by reference |
//! | `store` | a place that keeps secrets by name, and why it may give none |
//! | `keychain` | a [`Store`], asked for a bounded time |
//! | `system` | the system's own [`Store`], and how its entries are named |
//! | `platform` | what differs by system |

mod keychain;
mod lookup;
mod platform;
mod store;
mod system;

pub use keychain::Keychain;
pub use lookup::{Vault, VaultError};
pub use store::{Extent, KeychainError, Store};
pub use system::{SERVICE, SystemKeychain};
