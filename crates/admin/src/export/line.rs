//! A line of CSV.
//!
//! A spreadsheet calculates every cell that begins like a formula, so a model's name or an endpoint's
//! error could run on the reader's machine. Such a text gets an apostrophe before it, which a spreadsheet
//! does not show. Numbers are left alone.

use std::fmt::{Display, Write};

use zephyr_control::Tokens;

/// Cells, each with a comma after it.
#[derive(Default)]
pub(super) struct Line(String);

impl Line {
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let formula =
            text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        let guarded = if formula { "'" } else { "" };
        if formula || text.contains([',', '"', '\r', '\n', ';', '\t']) {
            let doubled = text.replace('"', "\"\"");
            self.cell(format_args!("\"{guarded}{doubled}\""))
        } else {
            self.cell(text)
        }
    }

    pub(super) fn text_if(&mut self, text: Option<&str>) -> &mut Self {
        self.text(text.unwrap_or_default())
    }

    pub(super) fn number(&mut self, number: impl Display) -> &mut Self {
        self.cell(number)
    }

    /// An empty cell means unknown.
    pub(super) fn number_if(&mut self, number: Option<impl Display>) -> &mut Self {
        match number {
            Some(number) => self.cell(number),
            None => self.cell(""),
        }
    }

    pub(super) fn tokens(&mut self, tokens: Option<&Tokens>) {
        self.number_if(tokens.map(|tokens| tokens.input));
        self.number_if(tokens.map(|tokens| tokens.cache_write_5m));
        self.number_if(tokens.map(|tokens| tokens.cache_write_1h));
        self.number_if(tokens.map(|tokens| tokens.cache_read));
        self.number_if(tokens.map(|tokens| tokens.output));
        self.number_if(tokens.map(|tokens| tokens.thinking));
    }

    fn cell(&mut self, cell: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{cell},");
        self
    }

    pub(super) fn end(mut self) -> String {
        self.0.pop();
        self.0 + "\r\n"
    }
}
