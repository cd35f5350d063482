//! A property list in the user's folder of launch agents (macOS, `launchd.plist(5)`).

use std::io;
use std::path::Path;

use super::path::writable;
use super::program::ARGUMENT;

#[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "of macOS"))]
pub(super) const FILE: &str = "Zephyr.plist";

/// The list that starts this program.
///
/// # Errors
///
/// `InvalidInput`: the path cannot be written.
pub(super) fn text(program: &Path) -> io::Result<String> {
    let path = escaped(writable(program)?);
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         <key>Label</key>\n<string>Zephyr</string>\n\
         <key>ProgramArguments</key>\n<array>\n<string>{path}</string>\n<string>{ARGUMENT}</string>\n</array>\n\
         <key>RunAtLoad</key>\n<true/>\n</dict>\n</plist>\n"
    ))
}

/// Whether two lists start the same.
#[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "of macOS"))]
pub(super) fn starts_the_same(there: &str, wanted: &str) -> bool {
    there == wanted
}

/// As the text of an XML element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_adds_no_element() {
        let path = "/Applications/R&D</string><string>--evil/zephyr-desktop";

        let list = text(Path::new(path)).unwrap();

        let expected = "<string>/Applications/R&amp;D&lt;/string&gt;&lt;string&gt;--evil/zephyr-desktop</string>\n\
                        <string>--at-login</string>\n";
        assert!(list.contains(expected), "{list}");
        assert_eq!(list.matches("<string>").count(), 3, "{list}");
    }

    #[test]
    fn a_path_that_xml_cannot_hold_is_refused() {
        let refused = text(Path::new("/Applications/a\u{1}b")).unwrap_err();

        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
