//! Maps keys to file names: which keys are a file's path as they are, and what the file of any other key is called.
//!
//! A key can hold anything. Where it is a path that every system can have and that no tool takes for something
//! else, the file is called like the key. Any other key has its file in the folder `BUCKET.files`, under an escaped
//! name, and the sidecar says which key that is.

/// The longest key that is a path: beside the folder's own path there is room for it on every system.
const PLAIN_BYTES_MAX: usize = 200;
/// The longest name in `BUCKET.files`.
const ESCAPED_BYTES_MAX: usize = 120;
/// Names that Windows has for devices, with any ending.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Whether a file may be called like this key, slashes parting its folders.
pub(super) fn is_plain(key: &str) -> bool {
    key.len() <= PLAIN_BYTES_MAX && key.split('/').all(is_plain_name)
}

fn is_plain_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    // `.`, `..` and the empty name are no names of files; an ending dot or blank is lost on Windows.
    let is_a_name = !name.is_empty() && !name.ends_with(['.', ' ']) && !name.starts_with(' ');
    // Git would read its settings there, or leave the file out. It also knows its name behind letters that show
    // nothing, so a hidden name is plain in ASCII only.
    let is_gits = lower.starts_with(".git") || lower.starts_with("git~");
    let is_hidden = name.starts_with('.') && !name.is_ascii();
    let is_printable = !name.contains(|sign: char| sign.is_control() || r#"\:*?"<>|"#.contains(sign));
    is_a_name && is_printable && !is_gits && !is_hidden && !DEVICES.contains(&stem)
}

/// A name for the file of a key that is no path: its letters, digits, `-` and `_` and the dots within, all other
/// bytes as `%XX`, and the first sign too where the rest would be a device's; a long one ends with its digest. Different keys have different names, on systems without letter
/// case too.
pub(super) fn escaped(key: &[u8], crc64: u64) -> String {
    let mut name = String::new();
    let mut cut = false;
    for (index, byte) in key.iter().enumerate() {
        let kept = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'-' | b'_')
            || (*byte == b'.' && index > 0 && index + 1 < key.len());
        if kept {
            name.push(char::from(*byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
        cut = name.len() > ESCAPED_BYTES_MAX;
        if cut {
            break;
        }
    }
    if cut {
        return format!("{name}~{crc64:016x}");
    }
    let stem = name.split('.').next().unwrap_or_default();
    match name.chars().next().filter(|_| DEVICES.contains(&stem)) {
        Some(first) => name.replacen(first, &format!("%{:02x}", u32::from(first)), 1),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_path_where_every_system_can_have_it() {
        for plain in [
            "a",
            "photos/2026/a b.jpg",
            "用户/照片 🦀.jpg",
            "100%.txt",
            "a%2Fb",
            ".hidden",
            "A/B.C",
            "console",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        let long = "k".repeat(PLAIN_BYTES_MAX + 1);
        for odd in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/./b",
            "a\nb",
            "a\tb",
            "a\u{7f}",
            "a:b",
            "a\\b",
            "x*",
            "a.",
            "a ",
            " a",
            ".git/config",
            "a/.GIT/hooks/x",
            ".gitignore",
            "git~1/config",
            ".g\u{200c}it/config",
            "nul",
            "a/CON.txt",
            "lpt1",
            "a|b",
            "a\"b",
            "a<b",
            "what?",
            &long,
        ] {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }

    #[test]
    fn an_escaped_name_is_a_plain_one_and_differs_where_keys_do() {
        let keys = [
            "a/",
            "a%2f",
            "/a",
            "A",
            "..",
            ".",
            "a//b",
            "nul",
            "nul.x",
            "\u{0}",
            "é",
            "e\u{301}",
            &"k".repeat(1023),
            &format!("{}x", "k".repeat(1022)),
        ];
        let names: Vec<String> = keys
            .iter()
            .map(|key| escaped(key.as_bytes(), key.len() as u64 + u64::from(key.ends_with('x'))))
            .collect();
        for (index, name) in names.iter().enumerate() {
            assert!(is_plain(name) && !name.contains('/'), "{name}");
            assert!(!names.iter().skip(index + 1).any(|other| other.eq_ignore_ascii_case(name)), "{name}");
        }
        assert_eq!(names[0], "a%2f");
        assert_eq!(names[1], "a%252f");
    }
}
