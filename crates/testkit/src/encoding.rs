//! Compression of answers, flushed piece by piece, so that a peer can decode while it reads.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// A content coding that clients ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// `gzip`
    Gzip,
    /// `deflate`, which in HTTP means the zlib format
    Deflate,
    /// `br`
    Br,
    /// `zstd`
    Zstd,
}

impl Encoding {
    /// Every content coding.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Deflate, Self::Br, Self::Zstd];

    /// Its name in `content-encoding`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|coding| coding.name() == name)
    }

    /// `data`, compressed at once.
    pub fn compress(&self, data: &[u8]) -> Bytes {
        let mut encoder = Encoder::new(*self);
        let mut bytes = encoder.piece(data).to_vec();
        bytes.extend_from_slice(&encoder.finish());
        bytes.into()
    }

    /// What `data` decodes to; for data that breaks off, as much as can be decoded.
    pub fn decompress(&self, data: &[u8]) -> Vec<u8> {
        let mut decoder: Box<dyn Read + '_> = match self {
            Self::Gzip => Box::new(flate2::read::GzDecoder::new(data)),
            Self::Deflate => Box::new(flate2::read::ZlibDecoder::new(data)),
            Self::Br => Box::new(brotli::Decompressor::new(data, BUFFER)),
            Self::Zstd => match zstd::Decoder::new(data) {
                Ok(decoder) => Box::new(decoder),
                Err(_) => Box::new(io::empty()),
            },
        };
        let mut bytes = Vec::new();
        // An error means that the data broke off: what came before is the result.
        let _ = decoder.read_to_end(&mut bytes);
        bytes
    }
}

/// A compression in progress.
pub(crate) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Br(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    pub(crate) fn new(encoding: Encoding) -> Self {
        let out = Vec::new();
        match encoding {
            Encoding::Gzip => Self::Gzip(GzEncoder::new(out, Compression::fast())),
            Encoding::Deflate => Self::Deflate(ZlibEncoder::new(out, Compression::fast())),
            Encoding::Br => Self::Br(Box::new(brotli::CompressorWriter::new(out, BUFFER, 4, 20))),
            Encoding::Zstd => Self::Zstd(zstd::Encoder::new(out, 1).expect(IN_MEMORY)),
        }
    }

    /// Compresses `data` such that a peer can decode all of it.
    pub(crate) fn piece(&mut self, data: &[u8]) -> Bytes {
        match self {
            Self::Gzip(encoder) => {
                flushed(encoder, data);
                std::mem::take(encoder.get_mut())
            }
            Self::Deflate(encoder) => {
                flushed(encoder, data);
                std::mem::take(encoder.get_mut())
            }
            Self::Br(encoder) => {
                flushed(encoder, data);
                std::mem::take(encoder.get_mut())
            }
            Self::Zstd(encoder) => {
                flushed(encoder, data);
                std::mem::take(encoder.get_mut())
            }
        }
        .into()
    }

    /// What ends the compressed data.
    pub(crate) fn finish(self) -> Bytes {
        match self {
            Self::Gzip(encoder) => encoder.finish().expect(IN_MEMORY),
            Self::Deflate(encoder) => encoder.finish().expect(IN_MEMORY),
            Self::Br(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish().expect(IN_MEMORY),
        }
        .into()
    }
}

const BUFFER: usize = 4096;
const IN_MEMORY: &str = "compressing into memory cannot fail";

fn flushed(encoder: &mut impl Write, data: &[u8]) {
    encoder.write_all(data).expect(IN_MEMORY);
    encoder.flush().expect(IN_MEMORY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_can_be_decoded_before_the_end_is_there() {
        for encoding in Encoding::ALL {
            let mut encoder = Encoder::new(encoding);
            let mut sent = encoder.piece(b"first ").to_vec();
            assert_eq!(encoding.decompress(&sent), b"first ", "{encoding:?}");
            sent.extend_from_slice(&encoder.piece(b"second"));
            assert_eq!(encoding.decompress(&sent), b"first second", "{encoding:?}");
        }
    }

    #[test]
    fn what_was_compressed_decompresses() {
        for encoding in Encoding::ALL {
            let data = b"the wind turns, the kite follows".repeat(500);
            let compressed = encoding.compress(&data);
            assert!(compressed.len() < data.len() / 2, "{encoding:?}");
            assert_eq!(encoding.decompress(&compressed), data, "{encoding:?}");
        }
    }
}
