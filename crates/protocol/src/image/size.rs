//! What the header of an image file says: its format, and its width and height in pixels.

/// Width and height in pixels, as a header states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u64,
    pub(super) height: u64,
}

/// A format that is measured. Its word is the one OSS uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpg,
    Png,
    Gif,
    Bmp,
    Webp,
    Tiff,
    Heic,
    Avif,
}

impl Format {
    /// The word by which OSS names it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Webp => "webp",
            Self::Tiff => "tiff",
            Self::Heic => "heic",
            Self::Avif => "avif",
        }
    }
}
