//! The names in a file: its `use` lines, and the paths in its code.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Field, ImplItem, Item, ItemMod, ItemUse, Local, Macro, Meta, TraitItem, UseTree,
    Visibility,
};

use super::attributes::for_tests_only;
use super::tree::{File, ModulePath};

/// A path as it is written: `["super", "sibling", "Thing"]`.
pub(crate) type Written = Vec<String>;

/// All names in a file outside its tests.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The modules that are inside the file, in braces.
    pub(crate) inline: Vec<ModulePath>,
    pub(crate) imports: Vec<Import>,
    /// Paths of two words or more, with the module that contains them.
    pub(crate) paths: Vec<(ModulePath, Written)>,
}

/// One name of a `use` line.
#[derive(Debug)]
pub(crate) struct Import {
    /// The module that contains it.
    pub(crate) scope: ModulePath,
    pub(crate) path: Written,
    /// Its name after the import. `None` for `*`, which imports many names.
    pub(crate) alias: Option<String>,
}

impl Names {
    pub(crate) fn of(file: &File) -> Self {
        let mut reader = Reader {
            scope: file.module.clone(),
            names: Self::default(),
        };
        reader.visit_file(&file.syntax);
        reader.names
    }
}

struct Reader {
    scope: ModulePath,
    names: Names,
}

impl Reader {
    fn path(&mut self, path: Written) {
        if path.len() > 1 {
            self.names.paths.push((self.scope.clone(), path));
        }
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.unraw().to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                self.imported(before.to_vec(), before.last().cloned());
            }
            UseTree::Name(name) => {
                self.imported(with(&name.ident), Some(name.ident.unraw().to_string()));
            }
            UseTree::Rename(renamed) => {
                let path = if renamed.ident == "self" {
                    before.to_vec()
                } else {
                    with(&renamed.ident)
                };
                self.imported(path, Some(renamed.rename.unraw().to_string()));
            }
            UseTree::Glob(_) => self.imported(before.to_vec(), None),
        }
    }

    fn imported(&mut self, path: Written, alias: Option<String>) {
        self.names.imports.push(Import {
            scope: self.scope.clone(),
            path,
            alias,
        });
    }

    /// The paths in code that is not parsed: the arguments of a macro or an attribute.
    fn tokens(&mut self, tokens: TokenStream, strings: Strings) {
        let mut path = Written::new();
        let mut before = Before::Other;
        for token in tokens {
            before = match token {
                TokenTree::Ident(word) => {
                    let word = word.unraw().to_string();
                    match before {
                        Before::Colons if !path.is_empty() => path.push(word),
                        // A field or method, a macro's own parameter, or a path from outside.
                        Before::Dot | Before::Colons => {}
                        Before::Dollar if word != "crate" => {}
                        Before::Dollar | Before::Colon | Before::Other => {
                            self.path(std::mem::replace(&mut path, vec![word]));
                        }
                    }
                    Before::Other
                }
                TokenTree::Punct(punct) => match (punct.as_char(), before) {
                    (':', Before::Colon) => Before::Colons,
                    (':', _) => Before::Colon,
                    (other, _) => {
                        self.path(std::mem::take(&mut path));
                        match other {
                            '.' => Before::Dot,
                            '$' => Before::Dollar,
                            _ => Before::Other,
                        }
                    }
                },
                TokenTree::Group(group) => {
                    self.path(std::mem::take(&mut path));
                    self.tokens(group.stream(), strings);
                    Before::Other
                }
                TokenTree::Literal(literal) => {
                    self.path(std::mem::take(&mut path));
                    if matches!(strings, Strings::MayBePaths)
                        && let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                        && let Ok(path) = text.parse::<syn::Path>()
                    {
                        self.visit_path(&path);
                    }
                    Before::Other
                }
            };
        }
        self.path(path);
    }
}

/// The token before a word.
#[derive(Clone, Copy)]
enum Before {
    Colon,
    Colons,
    Dot,
    Dollar,
    Other,
}

/// Whether a string can name code, as in `#[serde(with = "super::moment")]`.
#[derive(Clone, Copy)]
enum Strings {
    MayBePaths,
    AreText,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !for_tests_only(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let left_out = matches!(item, ImplItem::Fn(item) if for_tests_only(&item.attrs))
            || matches!(item, ImplItem::Const(item) if for_tests_only(&item.attrs));
        if !left_out {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let left_out = matches!(item, TraitItem::Fn(item) if for_tests_only(&item.attrs));
        if !left_out {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if !for_tests_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if !for_tests_only(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let Some((_, items)) = &module.content else {
            return;
        };
        self.scope.push(module.ident.unraw().to_string());
        self.names.inline.push(self.scope.clone());
        for item in items {
            self.visit_item(item);
        }
        self.scope.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[]);
        }
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // `pub(super)` imports nothing from there.
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let words = path.segments.iter();
            self.path(words.map(|word| word.ident.unraw().to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        self.visit_path(&invoked.path);
        self.tokens(invoked.tokens.clone(), Strings::AreText);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), Strings::MayBePaths);
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of items may be added to the language"
)]
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
