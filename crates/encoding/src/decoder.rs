//! Decodes compressed answers piece by piece. The bytes themselves pass unchanged.
//!
//! Claude Code asks for gzip, deflate, br and zstd. A decoder takes each piece as it arrives and gives its
//! text at once. The caller looks at the text and drops it.

use std::io::{self, Write};

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use zstd::stream::raw::{DParameter, Operation};

/// Bytes of the working memory of a decoder that needs some.
const BUFFER: usize = 4096;

/// Most bytes that one piece of an answer may decode to.
const MAX_DECODED: usize = 16 * 1024 * 1024;

/// Largest window of a zstd stream that RFC 9659 allows, as a power of two.
const ZSTD_WINDOW: u32 = 23;

/// Bytes of the buffer that are kept between two pieces.
const SPARE: usize = 64 * 1024;

/// An incremental decoder of one answer.
pub struct Decoder(Codec);

enum Codec {
    Identity,
    Gzip(flate2::write::MultiGzDecoder<Decoded>),
    /// Zlib or raw, which is not known yet. Servers send both under the name "deflate".
    Deflate,
    Zlib(flate2::write::ZlibDecoder<Decoded>),
    Raw(flate2::write::DeflateDecoder<Decoded>),
    Brotli(Box<brotli::DecompressorWriter<Decoded>>),
    Zstd(Box<Zstd>),
}

struct Zstd {
    decoder: zstd::stream::raw::Decoder<'static>,
    /// Whether a frame has begun and not ended.
    is_within: bool,
    decoded: Decoded,
}

impl Decoder {
    /// The decoder for an answer with these headers. `None` if the encoding is unknown.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
        let Some(encoding) = encodings.next() else {
            return Some(Self(Codec::Identity));
        };
        if encodings.next().is_some() {
            return None;
        }
        let codec = match encoding.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Codec::Identity,
            "gzip" | "x-gzip" => {
                Codec::Gzip(flate2::write::MultiGzDecoder::new(Decoded::default()))
            }
            "deflate" => Codec::Deflate,
            "br" => Codec::Brotli(Box::new(brotli::DecompressorWriter::new(
                Decoded::default(),
                BUFFER,
            ))),
            "zstd" => Codec::Zstd(Box::new(Zstd::new().ok()?)),
            _ => return None,
        };
        Some(Self(codec))
    }

    /// Whether there is nothing to decode.
    pub fn is_identity(&self) -> bool {
        matches!(self.0, Codec::Identity)
    }

    /// Decodes `bytes` and hands the outcome to `look`, unless it is empty.
    ///
    /// # Errors
    ///
    /// The bytes are not of the encoding that the headers announced.
    pub fn decode<T>(&mut self, bytes: &[u8], look: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        if let Codec::Deflate = self.0 {
            self.0 = match bytes.first() {
                Some(first) if first & 0x0f == 8 => {
                    Codec::Zlib(flate2::write::ZlibDecoder::new(Decoded::default()))
                }
                Some(_) => Codec::Raw(flate2::write::DeflateDecoder::new(Decoded::default())),
                None => Codec::Deflate,
            };
        }
        match &mut self.0 {
            Codec::Identity => Ok(look(bytes)),
            Codec::Deflate => Ok(look(&[])),
            Codec::Gzip(decoder) => {
                write_all(decoder, bytes)?;
                Ok(drain(decoder.get_mut(), look))
            }
            Codec::Zlib(decoder) => {
                write_all(decoder, bytes)?;
                Ok(drain(decoder.get_mut(), look))
            }
            Codec::Raw(decoder) => {
                write_all(decoder, bytes)?;
                Ok(drain(decoder.get_mut(), look))
            }
            Codec::Brotli(decoder) => {
                write_all(decoder, bytes)?;
                Ok(drain(decoder.get_mut(), look))
            }
            Codec::Zstd(zstd) => {
                zstd.write(bytes)?;
                Ok(drain(&mut zstd.decoded, look))
            }
        }
    }

    /// Checks that the encoding ends with the bytes.
    ///
    /// # Errors
    ///
    /// The end of the encoding is missing.
    pub fn finish(&mut self) -> io::Result<()> {
        let ended = match &mut self.0 {
            Codec::Identity | Codec::Deflate => true,
            Codec::Gzip(decoder) => decoder.try_finish().is_ok(),
            // A decoder takes nothing more behind its end. This is the only way to find out.
            Codec::Zlib(decoder) => matches!(decoder.write(&[0]), Ok(0)),
            Codec::Raw(decoder) => matches!(decoder.write(&[0]), Ok(0)),
            Codec::Brotli(decoder) => decoder.close().is_ok(),
            Codec::Zstd(zstd) => !zstd.is_within,
        };
        if ended {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "an early end"))
        }
    }
}

impl Zstd {
    fn new() -> io::Result<Self> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW))?;
        Ok(Self {
            decoder,
            is_within: false,
            decoded: Decoded::default(),
        })
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        loop {
            let status = self.decoder.run_on_buffers(bytes, &mut buffer)?;
            self.decoded.write_all(&buffer[..status.bytes_written])?;
            bytes = &bytes[status.bytes_read..];
            if status.bytes_read + status.bytes_written > 0 {
                self.is_within = status.remaining > 0;
            }
            let has_more = status.bytes_written == BUFFER || !bytes.is_empty();
            if !has_more || status.bytes_read + status.bytes_written == 0 {
                return Ok(());
            }
        }
    }
}

fn write_all(decoder: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    decoder.write_all(bytes)?;
    decoder.flush()
}

fn drain<T>(decoded: &mut Decoded, look: impl FnOnce(&[u8]) -> T) -> T {
    let seen = look(&decoded.0);
    decoded.0.clear();
    decoded.0.shrink_to(SPARE);
    seen
}

/// The outcome of one piece. It is bounded, since a few bytes can decode to gigabytes.
#[derive(Default)]
struct Decoded(Vec<u8>);

impl Write for Decoded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_DECODED {
            return Err(io::Error::other("more than any answer has"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())])
    }

    /// Two events, each flushed, as a streaming server does; the bytes up to each flush.
    fn encoded(encoding: &str) -> [Vec<u8>; 2] {
        fn two(
            mut writer: impl Write,
            sink: impl Fn(&dyn Fn() -> Vec<u8>) -> Vec<u8>,
            all: impl Fn() -> Vec<u8>,
        ) -> [Vec<u8>; 2] {
            writer.write_all(b"event: one\n\n").unwrap();
            writer.flush().unwrap();
            let first = sink(&all);
            writer.write_all(b"event: two\n\n").unwrap();
            writer.flush().unwrap();
            [first.clone(), all()[first.len()..].to_vec()]
        }
        let sink = Shared::default();
        let (seen, all) = (
            |all: &dyn Fn() -> Vec<u8>| all(),
            || sink.0.borrow().clone(),
        );
        match encoding {
            "gzip" => two(
                flate2::write::GzEncoder::new(sink.clone(), flate2::Compression::fast()),
                seen,
                all,
            ),
            "deflate" => two(
                flate2::write::ZlibEncoder::new(sink.clone(), flate2::Compression::fast()),
                seen,
                all,
            ),
            "raw" => two(
                flate2::write::DeflateEncoder::new(sink.clone(), flate2::Compression::fast()),
                seen,
                all,
            ),
            "br" => two(
                brotli::CompressorWriter::new(sink.clone(), 4096, 1, 20),
                seen,
                all,
            ),
            "zstd" => two(
                zstd::stream::write::Encoder::new(sink.clone(), 1).unwrap(),
                seen,
                all,
            ),
            _ => two(sink.clone(), seen, all),
        }
    }

    #[derive(Clone, Default)]
    struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_was_flushed_is_seen_at_once_in_every_encoding() {
        for (encoding, name) in [
            ("identity", "identity"),
            ("gzip", "gzip"),
            ("deflate", "deflate"),
            ("raw", "deflate"),
            ("br", "br"),
            ("zstd", "zstd"),
        ] {
            let [first, second] = encoded(encoding);
            let mut decoder = Decoder::of(&headers(name)).unwrap();

            let one = decoder.decode(&first, <[u8]>::to_vec).unwrap();
            let two = decoder.decode(&second, <[u8]>::to_vec).unwrap();

            assert_eq!(
                (one.as_slice(), two.as_slice()),
                (&b"event: one\n\n"[..], &b"event: two\n\n"[..]),
                "{encoding}"
            );
        }
    }

    #[test]
    fn single_bytes_add_up() {
        for encoding in ["gzip", "deflate", "br", "zstd"] {
            let bytes = encoded(encoding).concat();
            let mut decoder = Decoder::of(&headers(encoding)).unwrap();
            let mut seen = Vec::new();

            for byte in bytes {
                decoder
                    .decode(&[byte], |decoded| seen.extend_from_slice(decoded))
                    .unwrap();
            }

            assert_eq!(seen, b"event: one\n\nevent: two\n\n", "{encoding}");
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        for encoding in ["gzip", "deflate", "br", "zstd"] {
            let bomb = compressed(encoding, &vec![0; 2 * MAX_DECODED]);
            let mut decoder = Decoder::of(&headers(encoding)).unwrap();

            assert!(
                decoder.decode(&bomb, |_| ()).is_err(),
                "{encoding}: {} bytes",
                bomb.len()
            );
        }
    }

    fn compressed(encoding: &str, plain: &[u8]) -> Vec<u8> {
        let sink = Shared::default();
        let fast = flate2::Compression::fast();
        let mut writer: Box<dyn Write> = match encoding {
            "gzip" => Box::new(flate2::write::GzEncoder::new(sink.clone(), fast)),
            "deflate" => Box::new(flate2::write::ZlibEncoder::new(sink.clone(), fast)),
            "br" => Box::new(brotli::CompressorWriter::new(sink.clone(), 4096, 1, 20)),
            _ => Box::new(zstd::stream::write::Encoder::new(sink.clone(), 1).unwrap()),
        };
        writer.write_all(plain).unwrap();
        writer.flush().unwrap();
        sink.0.take()
    }

    #[test]
    fn garbage_is_an_error_and_an_unknown_encoding_is_left_alone() {
        let mut decoder = Decoder::of(&headers("gzip")).unwrap();

        assert!(
            decoder
                .decode(b"<html>not gzip at all</html>", |_| ())
                .is_err()
        );
        assert!(Decoder::of(&headers("rot13")).is_none());
    }
}
