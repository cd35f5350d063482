//! Content codings of HTTP answers (gzip, deflate, br, zstd), decoded piece by piece.

mod decoder;

pub use decoder::Decoder;
