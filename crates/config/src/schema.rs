//! The JSON Schema of the file, for editors.

/// What a key means and which values it takes. Tests hold it to the reader and to the example.
pub const SCHEMA: &str = include_str!("config.schema.json");
