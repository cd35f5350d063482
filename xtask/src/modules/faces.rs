//! A face shows what is in its folder and defines nothing itself.

use syn::{Item, ItemMod, ItemUse};

use super::attributes::for_tests_only;
use super::tree::File;

/// What a `mod.rs`, or a `lib.rs` with modules, defines itself. Empty for all other files.
pub(crate) fn definitions(file: &File) -> Vec<String> {
    let items = &file.syntax.items;
    let name = file.name.rsplit('/').next();
    let is_face = name == Some("mod.rs") || name == Some("lib.rs") && items.iter().any(is_child);
    if !is_face {
        return Vec::new();
    }
    items.iter().filter_map(definition).collect()
}

/// Whether this declares a module in a file of its own.
fn is_child(item: &Item) -> bool {
    matches!(item, Item::Mod(ItemMod { content: None, attrs, .. }) if !for_tests_only(attrs))
}

/// What an item defines, in words. `None`: the item belongs in a face.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of items may be added to the language"
)]
fn definition(item: &Item) -> Option<String> {
    let (attributes, words) = match item {
        Item::Use(ItemUse { .. }) | Item::Mod(ItemMod { content: None, .. }) => return None,
        Item::Mod(item) => (&item.attrs, format!("mod {} {{ … }}", item.ident)),
        Item::Const(item) => (&item.attrs, format!("const {}", item.ident)),
        Item::Enum(item) => (&item.attrs, format!("enum {}", item.ident)),
        Item::Fn(item) => (&item.attrs, format!("fn {}", item.sig.ident)),
        Item::Impl(item) => (&item.attrs, "an impl".to_owned()),
        Item::Macro(item) => (&item.attrs, "a macro".to_owned()),
        Item::Static(item) => (&item.attrs, format!("static {}", item.ident)),
        Item::Struct(item) => (&item.attrs, format!("struct {}", item.ident)),
        Item::Trait(item) => (&item.attrs, format!("trait {}", item.ident)),
        Item::Type(item) => (&item.attrs, format!("type {}", item.ident)),
        _ => return Some("an item".to_owned()),
    };
    (!for_tests_only(attributes)).then_some(words)
}
