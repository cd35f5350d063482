//! Who knows what only the user's own files say.

use std::fs;
use std::path::Path;

use crate::client_token::ClientTokens;
use crate::secret::Secret;

/// The file of the admin token in the data folder.
pub const ADMIN_TOKEN: &str = "admin-token";

/// Whether one of these is a token of Zephyr's own, from this data folder: the admin token, or one that `connect` gave
/// to a client. Blocks. Files that cannot be read know nobody.
pub fn is_known(data_dir: &Path, presented: &[Vec<u8>]) -> bool {
    let admin = fs::read_to_string(data_dir.join(ADMIN_TOKEN));
    let admin = admin.ok().and_then(|text| Secret::new(&text).ok());
    let of_clients = ClientTokens::load(data_dir).unwrap_or_default();
    presented.iter().any(|token| {
        of_clients.matches(token) || admin.as_ref().is_some_and(|admin| admin.matches(token))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_token_and_the_clients_tokens_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(!is_known(folder, &[b"anything".to_vec(), Vec::new()]));

        fs::write(folder.join(ADMIN_TOKEN), "0123abcd\n").unwrap();
        let of_client = ClientTokens::current_or_new(folder).unwrap();

        for known in ["0123abcd", of_client.expose()] {
            let presented = [b"other".to_vec(), known.as_bytes().to_vec()];
            assert!(is_known(folder, &presented), "{known}");
        }
        assert!(!is_known(folder, &[b"0123abc".to_vec(), b"".to_vec()]));
    }
}
