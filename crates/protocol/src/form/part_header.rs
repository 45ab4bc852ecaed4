//! Parses the header lines of one part of a form: its name, and for the file its file name and content type. Lines
//! come in any order and letter case. Headers that form parts do not have are refused as OSS refuses them.
//!
//! Clauses POST-12 to POST-16, POST-19.

use percent_encoding::percent_decode_str;

use super::foreign_text::Line;
use super::{FilePart, FormError, header_parameters};

/// Headers that clients send and that say nothing the store needs.
const WITHOUT_MEANING: [&str; 3] = ["content-length", "content-id", "content-description"];

/// Encodings under which content stands in the body as it is.
const IDENTITY_ENCODINGS: [&str; 3] = ["binary", "8bit", "7bit"];

/// What has been read of a part's header.
#[derive(Debug, Default)]
pub(super) struct PartHeader {
    disposition: Option<PartDisposition>,
    content_type: Option<String>,
    has_foreign_type: bool,
}

/// What a part says of itself.
#[derive(Debug)]
pub(super) struct Part {
    /// The field's name.
    pub(super) name: String,
    /// Whether the name is UTF-8.
    pub(super) has_foreign_name: bool,
    /// What counts in case it is the file.
    pub(super) file: FilePart,
    /// Whether the file's name is there and not UTF-8.
    pub(super) has_foreign_file_name: bool,
}

#[derive(Debug)]
struct PartDisposition {
    name: String,
    has_foreign_name: bool,
    filename: Option<String>,
    has_foreign_file_name: bool,
}

impl PartHeader {
    /// Takes a line in, without its CR LF.
    pub(super) fn read_line(&mut self, line: &[u8]) -> Result<(), FormError> {
        let read = Line::read(line);
        let line = read.text();
        let (name, value) = line.split_once(':').ok_or(FormError::PartHeaderMalformed)?;
        if name.is_empty()
            || name.contains([' ', '\t'])
            || line.contains(['\r', '\0'])
            || read.is_foreign(name)
        {
            return Err(FormError::PartHeaderMalformed);
        }
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" if self.disposition.is_none() => {
                self.disposition = Some(PartDisposition::parse(&read, value)?);
                Ok(())
            }
            "content-type" if self.content_type.is_none() => {
                self.content_type = Some(value.to_owned());
                self.has_foreign_type = read.is_foreign(value);
                Ok(())
            }
            "content-disposition" | "content-type" => Err(FormError::PartHeaderMalformed),
            "content-transfer-encoding" => check_encoding(value),
            known if WITHOUT_MEANING.contains(&known) => Ok(()),
            _ => Err(FormError::UnknownPartHeader { name: super::form_error::shortened(name) }),
        }
    }

    /// The part's name and what it says in case it is the file, whose type is kept and must be a text.
    pub(super) fn finish(self) -> Result<Part, FormError> {
        let PartDisposition { name, has_foreign_name, filename, has_foreign_file_name } =
            self.disposition.ok_or(FormError::PartWithoutDisposition)?;
        if self.has_foreign_type && name.eq_ignore_ascii_case("file") {
            return Err(FormError::PartHeaderMalformed);
        }
        let file = FilePart { filename, content_type: self.content_type };
        Ok(Part { name, has_foreign_name, file, has_foreign_file_name })
    }
}

impl PartDisposition {
    fn parse(line: &Line<'_>, value: &str) -> Result<Self, FormError> {
        let (kind, parameters) = header_parameters::split(value).ok_or(FormError::PartWithoutDisposition)?;
        let only =
            |name| header_parameters::only(&parameters, name).map_err(|()| FormError::PartWithoutDisposition);
        let name = only("name")?.filter(|name| !name.is_empty());
        let Some(name) = name.filter(|_| kind.eq_ignore_ascii_case("form-data")) else {
            return Err(FormError::PartWithoutDisposition);
        };
        let plain = only("filename")?.map(str::to_owned);
        let filename = match only("filename*")? {
            Some(extended) => Some(decode_extended(extended).ok_or(FormError::PartWithoutDisposition)?),
            None => plain,
        };
        Ok(Self {
            name: name.to_owned(),
            has_foreign_name: line.is_foreign(name),
            has_foreign_file_name: filename.as_deref().is_some_and(|filename| line.is_foreign(filename)),
            filename,
        })
    }
}

/// A value like `UTF-8'zh'%E7%85%A7.jpg` (RFC 8187).
fn decode_extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

fn check_encoding(value: &str) -> Result<(), FormError> {
    if IDENTITY_ENCODINGS.iter().any(|known| value.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(FormError::TransferEncoding { encoding: super::form_error::shortened(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<(String, FilePart), FormError> {
        let mut header = PartHeader::default();
        for line in lines {
            header.read_line(line.as_bytes())?;
        }
        header.finish().map(|part| (part.name, part.file))
    }

    #[test]
    fn reads_headers_in_any_case_and_order() {
        let (name, file) = read(&[
            "CONTENT-TYPE: image/jpeg",
            "content-transfer-encoding: Binary",
            "Content-Length: 12",
            "content-disposition:form-data;filename=\"照片.jpg\"; name=file",
        ])
        .unwrap();
        assert_eq!(name, "file");
        assert_eq!(file.filename.as_deref(), Some("照片.jpg"));
        assert_eq!(file.content_type.as_deref(), Some("image/jpeg"));
    }

    #[test]
    fn the_extended_file_name_beats_the_plain_one() {
        let named = |line: &str| read(&[line]).map(|(_, file)| file.filename.unwrap());
        let both = "Content-Disposition: form-data; name=\"file\"; filename=\"_.jpg\"; filename*=utf-8''%E7%85%A7.jpg";
        assert_eq!(named(both).unwrap(), "照.jpg");
        let latin = "Content-Disposition: form-data; name=\"file\"; filename*=ISO-8859-1'en'%E9.jpg";
        assert_eq!(named(latin).unwrap(), "é.jpg");
        let broken = "Content-Disposition: form-data; name=\"file\"; filename*=utf-8''%FF";
        assert_eq!(named(broken), Err(FormError::PartWithoutDisposition));
    }

    #[test]
    fn bytes_of_another_encoding_are_told_from_text_and_never_end_a_value_early() {
        let read = |line: &[u8]| {
            let mut header = PartHeader::default();
            header.read_line(line)?;
            header.finish()
        };
        // 照片 and 誠, whose second byte is a backslash, in GBK.
        for name in [&b"\xd5\xd5\xc6\xac.jpg"[..], b"\xd5\\", b"\xe9.jpg"] {
            let line = [b"Content-Disposition: form-data; name=\"file\"; filename=\"", name, b"\""].concat();
            let part = read(&line).unwrap();
            assert_eq!(
                (part.name.as_str(), part.has_foreign_name, part.has_foreign_file_name),
                ("file", false, true)
            );
        }
        let named = read(b"Content-Disposition: form-data; name=\"\xd5\xd5\"").unwrap();
        assert!(named.has_foreign_name);
        let extended =
            b"Content-Disposition: form-data; name=file; filename=\"\xd5\"; filename*=utf-8''a.jpg";
        assert!(!read(extended).unwrap().has_foreign_file_name);
        assert_eq!(read(b"\xd5: 1").unwrap_err(), FormError::PartHeaderMalformed);
    }

    #[test]
    fn refuses_a_part_that_does_not_say_what_it_is() {
        for lines in [
            &[][..],
            &["Content-Type: text/plain"],
            &["Content-Disposition: form-data"],
            &["Content-Disposition: form-data; name=\"\""],
            &["Content-Disposition: attachment; name=\"a\""],
            &["Content-Disposition: form-data; name=a; name=b"],
        ] {
            assert_eq!(read(lines), Err(FormError::PartWithoutDisposition), "{lines:?}");
        }
    }

    #[test]
    fn refuses_headers_that_form_parts_do_not_have() {
        let named = "Content-Disposition: form-data; name=a";
        let unknown = FormError::UnknownPartHeader { name: "X-Own".to_owned() };
        assert_eq!(read(&[named, "X-Own: 1"]), Err(unknown));
        for line in ["no colon", " folded: 1", ": 1", "A B: 1", "Content-Type: a\rb", named] {
            assert_eq!(read(&[named, line]), Err(FormError::PartHeaderMalformed), "{line:?}");
        }
        let encoded = FormError::TransferEncoding { encoding: "base64".to_owned() };
        assert_eq!(read(&[named, "Content-Transfer-Encoding: base64"]), Err(encoded));
    }
}
