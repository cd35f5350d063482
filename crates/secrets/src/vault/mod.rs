//! The sources of secrets. Only this module turns a credential reference into a secret.
//!
//! There are two sources: the environment with the `.env` beside the configuration, and the system's
//! keychain. A [`Vault`] has the secrets of both at one moment. It asks the keychain once, when it is
//! opened, for a limited time. It does not ask if no reference names the keychain. It asks no person.
//!
//! | module | is |
//! | --- | --- |
//! | `lookup` | the secrets of both sources, by reference |
//! | `store` | a place that stores secrets by name, and its errors |
//! | `keychain` | a [`Store`] with a limit on the time of a look |
//! | `system` | the system's own [`Store`], and the names of its entries |
//! | `platform` | differences between systems |

mod keychain;
mod lookup;
mod platform;
mod store;
mod system;

pub use keychain::Keychain;
pub use lookup::{Vault, VaultError};
pub use store::{Extent, KeychainError, Store};
pub use system::{SERVICE, SystemKeychain};
