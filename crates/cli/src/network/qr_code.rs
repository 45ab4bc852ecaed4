//! Draws an address as a QR code: for the terminal and, as SVG, for the page.

use anyhow::Context as _;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{Module, QRBuilder, QRCode};

/// The quiet zone, in modules, that readers need around the code.
const QUIET: usize = 4;
/// Dark on light, whatever the terminal's own colours are.
const DARK_ON_LIGHT: &str = "\u{1b}[38;5;16;48;5;231m";
const PLAIN: &str = "\u{1b}[0m";

/// The code as lines of half blocks, two modules high each; `colours` where a terminal shows them.
pub(crate) fn for_terminal(text: &str, colours: bool) -> anyhow::Result<String> {
    let code = encode(text)?;
    let mut lines = String::new();
    for row in (0..code.size + 2 * QUIET).step_by(2) {
        let line: String = (0..code.size + 2 * QUIET)
            .map(|column| match (is_dark(&code, row, column), is_dark(&code, row + 1, column)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        if colours {
            lines.push_str(&format!("  {DARK_ON_LIGHT}{line}{PLAIN}\n"));
        } else {
            lines.push_str(&format!("  {line}\n"));
        }
    }
    Ok(lines)
}

/// The code as an SVG document.
pub(crate) fn as_svg(text: &str) -> anyhow::Result<String> {
    Ok(SvgBuilder::default().margin(QUIET).to_str(&encode(text)?))
}

fn encode(text: &str) -> anyhow::Result<QRCode> {
    QRBuilder::new(text).build().ok().context("the address is too long for a QR code")
}

/// Whether a module is dark; row and column count from the corner of the quiet zone.
fn is_dark(code: &QRCode, row: usize, column: usize) -> bool {
    let place = row.checked_sub(QUIET).zip(column.checked_sub(QUIET));
    let inside = place.filter(|(row, column)| *row < code.size && *column < code.size);
    inside
        .and_then(|(row, column)| code.data.get(row * code.size + column))
        .copied()
        .is_some_and(Module::value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_shows_the_finder_patterns_and_a_quiet_zone() {
        let text = for_terminal("http://192.168.1.5:9818/?token=abc", false).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].trim().is_empty() && lines[1].trim().is_empty(), "four quiet rows");
        assert!(lines[2].starts_with("      █▀▀▀▀▀█"), "{text}");
        let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]));
        assert_eq!(lines.len(), (widths[0] - 2).div_ceil(2));
    }

    #[test]
    fn colours_are_set_and_reset_on_every_line() {
        let text = for_terminal("x", true).unwrap();
        assert!(text.lines().all(|line| line.contains(DARK_ON_LIGHT) && line.ends_with(PLAIN)));
    }

    #[test]
    fn draws_an_svg_for_the_page() {
        assert!(as_svg("http://127.0.0.1:9818/").unwrap().starts_with("<svg"));
    }
}
