//! Holds the form fields that came before the file, in their order, found without regard to letter case, and what the
//! header of the file's part says.
//!
//! Clauses POST-17, POST-18, POST-38, POST-39.

use std::collections::{HashMap, HashSet};

use super::form_error::{FormError, shortened};

/// What the header of the file's part says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePart {
    /// The file's name as the client sent it, which may be a whole path; absent in many SDK samples.
    pub filename: Option<String>,
    /// The part's own Content-Type.
    pub content_type: Option<String>,
}

/// The fields in front of the file, in the order received, and the file's header.
#[derive(Debug, Clone, Default)]
pub struct FormFields {
    fields: Vec<(String, String)>,
    /// The names in lower case, that of a field whose value is still to come too.
    folded: Vec<String>,
    /// Where each name in lower case is, of a form with too many fields to look through.
    places: HashMap<String, usize>,
    file: FilePart,
    foreign: HashSet<usize>,
    has_foreign_file_name: bool,
    retained_bytes: usize,
}

/// Per field, roughly: two strings and an entry of the index.
const FIELD_OVERHEAD_BYTES: usize = 128;
/// So many names are compared one by one, which takes less time than to hash the one that is looked for.
const COMPARED_MAX: usize = 32;

impl FormFields {
    /// A head made of parts, for signers that check their own forms and for tests.
    ///
    /// # Errors
    /// [`FormError::FieldNamedTwice`].
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormError, FormFields};
    ///
    /// let fields = FormFields::from_parts([("key", "a.jpg"), ("x-oss-meta-note", "hi")], FilePart::default())?;
    /// assert_eq!((fields.len(), fields.key()?), (2, "a.jpg"));
    /// let twice = FormFields::from_parts([("key", "a.jpg"), ("KEY", "b.jpg")], FilePart::default());
    /// assert!(matches!(twice, Err(FormError::FieldNamedTwice { .. })));
    /// # Ok::<(), FormError>(())
    /// ```
    pub fn from_parts<N: Into<String>, V: Into<String>>(
        fields: impl IntoIterator<Item = (N, V)>,
        file: FilePart,
    ) -> Result<Self, FormError> {
        let mut head = Self::default();
        for (name, value) in fields {
            let name = name.into();
            head.reserve(&name)?;
            head.insert(name, value.into());
        }
        head.set_file(file);
        Ok(head)
    }

    /// The value of a field; letter case of the name does not count.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    ///
    /// let fields = FormFields::from_parts([("OSSAccessKeyId", "ak"), ("x-oss-security-token", "")], FilePart::default())?;
    /// assert_eq!(fields.get("ossaccesskeyid"), Some("ak"));
    /// assert_eq!(fields.get("x-oss-security-token"), Some(""));
    /// assert_eq!(fields.get_filled("x-oss-security-token"), None);
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = if name.is_ascii() { self.place(name) } else { self.place(&name.to_lowercase()) };
        self.fields.get(place?).map(|(_, value)| value.as_str())
    }

    /// Where a name is; of one that is not all ASCII, its form in lower case.
    fn place(&self, name: &str) -> Option<usize> {
        if self.folded.len() <= COMPARED_MAX {
            return self.folded.iter().position(|folded| folded.eq_ignore_ascii_case(name));
        }
        self.places.get(name).or_else(|| self.places.get(&name.to_ascii_lowercase())).copied()
    }

    /// The value of a field unless it is empty.
    pub fn get_filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The field `key`, unexpanded.
    ///
    /// # Errors
    /// [`FormError::KeyMissing`]. An empty key is a key that [`crate::ObjectKey`] refuses.
    pub fn key(&self) -> Result<&str, FormError> {
        self.get("key").ok_or(FormError::KeyMissing)
    }

    /// The session token of temporary credentials. Samples for ordinary keys send it empty, which is absent.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    ///
    /// let of = |token: &str| FormFields::from_parts([("x-oss-security-token", token)], FilePart::default());
    /// assert_eq!(of("CAIS")?.security_token(), Some("CAIS"));
    /// assert_eq!(of("")?.security_token(), None);
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn security_token(&self) -> Option<&str> {
        self.get_filled("x-oss-security-token")
    }

    /// The fields as they came: name as spelt by the client, and value.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    ///
    /// let fields = FormFields::from_parts([("Key", "a.jpg"), ("policy", "e30=")], FilePart::default())?;
    /// assert_eq!(fields.iter().collect::<Vec<_>>(), [("Key", "a.jpg"), ("policy", "e30=")]);
    /// assert!(!fields.is_empty());
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What the file's part says of itself.
    pub fn file(&self) -> &FilePart {
        &self.file
    }

    /// The names of the fields that are not UTF-8, in name or value, and that nothing but a policy, a callback or a
    /// demanding bucket looks at. Their values are empty here; a foreign letter in a name is one for private use.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use countersign_protocol::form::{FormEvent, FormLimits, FormParser};
    ///
    /// // A page in GBK sends the value of its button along.
    /// let body = b"--b\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\n\xc9\xcf\xb4\xab\r\n\
    ///              --b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n--b--";
    /// let mut parser = FormParser::new(&FormParser::boundary("multipart/form-data; boundary=b")?, FormLimits::default());
    /// parser.push(Bytes::from_static(body));
    /// let FormEvent::Head(fields) = parser.next_event()? else { panic!("the head comes first") };
    /// assert_eq!(fields.foreign().collect::<Vec<_>>(), ["submit"]);
    /// assert!(!fields.has_foreign_file_name());
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn foreign(&self) -> impl Iterator<Item = &str> {
        self.foreign.iter().filter_map(|place| self.fields.get(*place)).map(|(name, _)| name.as_str())
    }

    /// Whether the file has a name that is not UTF-8. [`FilePart::filename`] is then no name of anything.
    pub fn has_foreign_file_name(&self) -> bool {
        self.has_foreign_file_name
    }

    /// About how much memory the head holds, for the budget that all heads share.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    ///
    /// let fields = FormFields::from_parts([("key", "a".repeat(1_000))], FilePart::default())?;
    /// assert!((1_000..2_000).contains(&fields.retained_bytes()));
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn retained_bytes(&self) -> usize {
        self.retained_bytes
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Refuses a name that is taken already. Told as soon as the part's header is read, so that the value
    /// of a refused field is never collected.
    pub(super) fn reserve(&mut self, name: &str) -> Result<(), FormError> {
        let folded = name.to_lowercase();
        if self.place(&folded).is_some() {
            return Err(FormError::FieldNamedTwice { name: shortened(name) });
        }
        self.folded.push(folded);
        // Up to now they were compared one by one; from the next on they are all in the index.
        let indexed = if self.folded.len() > COMPARED_MAX { self.places.len() } else { self.folded.len() };
        for (place, folded) in self.folded.iter().enumerate().skip(indexed) {
            self.places.insert(folded.clone(), place);
        }
        Ok(())
    }

    /// Stores the value of the name reserved last.
    pub(super) fn insert(&mut self, name: String, value: String) {
        self.retained_bytes += 2 * name.len() + value.len() + FIELD_OVERHEAD_BYTES;
        self.fields.push((name, value));
    }

    /// Stores that the name reserved last has no value that could be read.
    pub(super) fn insert_foreign(&mut self, name: String) {
        self.foreign.insert(self.fields.len());
        self.insert(name, String::new());
    }

    /// Notes that the file's name is not UTF-8.
    pub(super) fn note_foreign_file_name(&mut self) {
        self.has_foreign_file_name = true;
    }

    pub(super) fn set_file(&mut self, file: FilePart) {
        self.retained_bytes += file.filename.as_ref().map_or(0, String::len);
        self.retained_bytes += file.content_type.as_ref().map_or(0, String::len);
        self.file = file;
    }
}

/// The content type under which the file is stored, and against which a policy's `$content-type` is held:
/// `x-oss-content-type`, else the file part's own, else the field `Content-Type`. An empty one is none.
///
/// Source: POST-17, POST-18, POST-38, POST-39.
///
/// ```
/// use countersign_protocol::form::{FilePart, FormFields, effective_content_type};
///
/// let file = FilePart { filename: None, content_type: Some("image/png".to_owned()) };
/// let fields = FormFields::from_parts([("Content-Type", "image/jpeg")], file)?;
/// assert_eq!(effective_content_type(&fields), Some("image/png"), "the part's own goes before the field");
/// # Ok::<(), countersign_protocol::form::FormError>(())
/// ```
pub fn effective_content_type(fields: &FormFields) -> Option<&str> {
    fields
        .get_filled("x-oss-content-type")
        .or_else(|| fields.file().content_type.as_deref().filter(|text| !text.is_empty()))
        .or_else(|| fields.get_filled("Content-Type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(content_type: &str) -> FilePart {
        FilePart { filename: None, content_type: Some(content_type.to_owned()) }
    }

    #[test]
    fn finds_fields_in_any_letter_case_and_keeps_their_order() {
        let fields =
            FormFields::from_parts([("OSSAccessKeyId", "ak"), ("signature", "s")], FilePart::default())
                .unwrap();
        assert_eq!(fields.get("ossaccesskeyid"), Some("ak"));
        assert_eq!(fields.get("Signature"), Some("s"));
        assert_eq!(fields.get("policy"), None);
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["OSSAccessKeyId", "signature"]);
    }

    #[test]
    fn refuses_a_field_named_twice_in_any_letter_case() {
        let error = FormFields::from_parts([("key", "a"), ("Key", "b")], FilePart::default()).unwrap_err();
        assert_eq!(error, FormError::FieldNamedTwice { name: "Key".to_owned() });
    }

    #[test]
    fn finds_and_refuses_alike_among_few_fields_and_among_many() {
        let numbered =
            |count: usize| (0..count).map(|number| (format!("X:\u{c4}{number}"), number.to_string()));
        for count in [1, COMPARED_MAX - 1, COMPARED_MAX, COMPARED_MAX + 1, 3 * COMPARED_MAX] {
            let fields = FormFields::from_parts(numbered(count), FilePart::default()).unwrap();
            for number in 0..count {
                for name in [format!("x:\u{e4}{number}"), format!("X:\u{c4}{number}")] {
                    assert_eq!(fields.get(&name), Some(number.to_string().as_str()), "{name} of {count}");
                }
            }
            assert_eq!(fields.get(&format!("x:\u{e4}{count}")), None);
            // The sign of the unit Kelvin is a k in lower case.
            let more = numbered(count).chain([("\u{212a}EY".to_owned(), "a".to_owned())]);
            let kelvin = FormFields::from_parts(more.clone(), FilePart::default()).unwrap();
            assert_eq!((kelvin.get("Key"), kelvin.get("\u{212a}ey")), (Some("a"), Some("a")), "of {count}");
            for twice in ["key", "KEY", "x:\u{e4}0"] {
                let more = more.clone().chain([(twice.to_owned(), String::new())]);
                let refused = FormFields::from_parts(more, FilePart::default()).unwrap_err();
                assert_eq!(refused, FormError::FieldNamedTwice { name: twice.to_owned() }, "of {count}");
            }
        }
    }

    #[test]
    fn the_parts_own_content_type_beats_the_plain_field_and_loses_to_the_oss_one() {
        let plain = [("Content-Type", "text/plain")];
        let all = [("content-type", "text/plain"), ("x-oss-content-type", "image/png")];
        let of = |fields: &[(&str, &str)], file| {
            let fields = FormFields::from_parts(fields.iter().copied(), file).unwrap();
            effective_content_type(&fields).map(str::to_owned)
        };
        assert_eq!(of(&plain, FilePart::default()).as_deref(), Some("text/plain"));
        assert_eq!(of(&plain, part("image/jpg")).as_deref(), Some("image/jpg"));
        assert_eq!(of(&plain, part("")).as_deref(), Some("text/plain"));
        assert_eq!(of(&all, part("image/jpg")).as_deref(), Some("image/png"));
        assert_eq!(of(&[], FilePart::default()), None);
    }

    #[test]
    fn takes_an_empty_security_token_for_none() {
        let empty = FormFields::from_parts([("x-oss-security-token", "")], FilePart::default()).unwrap();
        assert_eq!(empty.security_token(), None);
        let filled = FormFields::from_parts([("x-oss-security-token", "t")], FilePart::default()).unwrap();
        assert_eq!(filled.security_token(), Some("t"));
    }
}
