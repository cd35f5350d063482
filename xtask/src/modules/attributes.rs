//! Finds code that exists for tests only.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// Whether these attributes keep an item out of the program.
pub(crate) fn for_tests_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args().is_ok_and(|cfg| requires_test(&cfg))
        }
        Meta::List(_) | Meta::NameValue(_) => false,
    })
}

/// Whether a `cfg` can be true only in tests.
fn requires_test(cfg: &Meta) -> bool {
    match cfg {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => {
            let parts = list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .unwrap_or_default();
            if list.path.is_ident("all") {
                parts.iter().any(requires_test)
            } else {
                list.path.is_ident("any") && parts.iter().all(requires_test)
            }
        }
        Meta::NameValue(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(attributes: &str) -> bool {
        let item: syn::ItemStruct = syn::parse_str(&format!("{attributes} struct S;")).unwrap();
        for_tests_only(&item.attrs)
    }

    #[test]
    fn only_what_no_program_contains_is_left_out() {
        for attributes in [
            "#[cfg(test)]",
            "#[test]",
            "#[cfg(all(test, unix))]",
            "#[cfg(any(test, all(unix, test)))]",
            "#[derive(Debug)] #[cfg(test)]",
        ] {
            assert!(left_out(attributes), "{attributes}");
        }
        for attributes in [
            "",
            "#[cfg(not(test))]",
            "#[cfg(any(test, feature = \"examples\"))]",
            "#[cfg(unix)]",
            "#[cfg_attr(test, derive(Debug))]",
        ] {
            assert!(!left_out(attributes), "{attributes}");
        }
    }
}
