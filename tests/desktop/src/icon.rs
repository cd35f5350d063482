//! A tray icon's picture.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use png::{Decoder, Transformations};

/// The pixels of an icon. Two that are equal look the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Icon {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Red, green, blue and opacity of each, row by row.
    pub pixels: Vec<[u8; 4]>,
}

impl Icon {
    /// Reads a PNG; none if it is not there, or not there in full.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let mut decoder = Decoder::new(BufReader::new(File::open(path).ok()?));
        decoder
            .set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
        let mut reader = decoder.read_info().ok()?;
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let frame = reader.next_frame(&mut bytes).ok()?;
        bytes.truncate(frame.buffer_size());
        let pixels = match frame.color_type {
            png::ColorType::Rgba => bytes.as_chunks::<4>().0.to_vec(),
            png::ColorType::GrayscaleAlpha => {
                let (grey, _) = bytes.as_chunks::<2>();
                grey.iter()
                    .map(|&[grey, a]| [grey, grey, grey, a])
                    .collect()
            }
            other @ (png::ColorType::Grayscale | png::ColorType::Rgb | png::ColorType::Indexed) => {
                panic!("{other:?} should have been transformed")
            }
        };
        Some(Self {
            width: frame.width,
            height: frame.height,
            pixels,
        })
    }

    /// Whether there is anything to see.
    pub fn is_blank(&self) -> bool {
        self.pixels.iter().all(|[.., opacity]| *opacity == 0)
    }
}
