//! Requests and sums for other programs: CSV as RFC 4180 has it, or a JSON object per line.

mod line;
mod requests;
mod usage;

#[cfg(test)]
mod tests;

pub use self::requests::Format;
pub use self::usage::usage_csv;
