//! Limits on how much of a form is held before its file begins (POST-26 to POST-29).

/// The limits of one form's head. The defaults are OSS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormLimits {
    /// The most bytes of a field's name.
    pub name_bytes_max: usize,
    /// The most bytes of a field's value.
    pub value_bytes_max: usize,
    /// The most bytes of one part's header lines together.
    pub part_header_bytes_max: usize,
    /// The most fields in front of the file. OSS names no number; real forms stay far below.
    pub fields_max: usize,
    /// The most bytes of the body in front of the file's content: preamble, fields and all header lines.
    pub head_bytes_max: usize,
    /// The most bytes of the body behind the file: ignored fields and epilogue.
    pub tail_bytes_max: usize,
}

impl Default for FormLimits {
    fn default() -> Self {
        Self {
            name_bytes_max: 8 << 10,
            value_bytes_max: 2 << 20,
            part_header_bytes_max: 32 << 10,
            fields_max: 1_000,
            head_bytes_max: 8 << 20,
            tail_bytes_max: 8 << 20,
        }
    }
}
