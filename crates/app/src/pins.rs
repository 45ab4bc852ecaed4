//! How much of an upload form the signer fixes, and the kind of store on which it depends what can be fixed.
//!
//! A policy constrains only the fields it names. `docs/decisions/pins-and-modes.md` tells which are named, and why;
//! [`crate::signer`] writes the conditions.

/// The store that signed forms go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// This project's: it holds a condition on an absent field against what the absence stores.
    Countersign,
    /// Alibaba's, or another that refuses whatever names a field that the form lacks.
    Oss,
}

impl StoreKind {
    /// The kind that an upload address suggests: Alibaba's names are OSS, all others this project's.
    ///
    /// ```
    /// use countersign_app::StoreKind;
    ///
    /// assert_eq!(StoreKind::of_host("https://photos.oss-cn-hangzhou.aliyuncs.com"), StoreKind::Oss);
    /// assert_eq!(StoreKind::of_host("http://192.168.1.20:9817/photos"), StoreKind::Countersign);
    /// assert_eq!(StoreKind::of_host("https://aliyuncs.com.evil.example"), StoreKind::Countersign);
    /// ```
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        let behind_scheme = host.split_once("//").map_or(host, |(_, rest)| rest);
        let name = behind_scheme.split(['/', ':']).next().unwrap_or_default().trim_end_matches('.');
        if name.to_ascii_lowercase().ends_with(".aliyuncs.com") { Self::Oss } else { Self::Countersign }
    }
}

/// How much of a form is the signer's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pins {
    /// Key and size alone, exactly as the tutorial's policy has it.
    Tutorial,
    /// All that the tutorial's unmodified form passes: on a store of ours everything, before OSS the callback.
    #[default]
    Usual,
    /// Everything. Before OSS uploaders must then send the fields that the signer lists.
    All,
}
