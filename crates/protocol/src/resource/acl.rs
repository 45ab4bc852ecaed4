//! Access control lists of buckets and objects, as OSS spells them (AUTH-16, AUTH-17, AUTH-21). Who may do what with
//! which list is the server's decision; this module only knows the words.

use std::fmt;

use crate::{ErrorCode, WireError};

/// What an anonymous visitor may do with a bucket, or with an object that does not inherit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Acl {
    /// Nothing.
    Private,
    /// Read.
    PublicRead,
    /// Read and write.
    PublicReadWrite,
}

impl Acl {
    /// The word on the wire: `private`, `public-read` or `public-read-write`.
    ///
    /// ```
    /// use countersign_protocol::{Acl, ObjectAcl};
    ///
    /// assert_eq!((Acl::PublicRead.as_str(), ObjectAcl::Default.as_str()), ("public-read", "default"));
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
        }
    }

    /// Reads the word; letter case counts, as it does for OSS.
    ///
    /// # Errors
    /// Any other word.
    ///
    /// # Errors
    /// [`AclError::Unknown`].
    ///
    /// ```
    /// use countersign_protocol::Acl;
    ///
    /// let acl = Acl::parse("public-read")?;
    /// assert!(acl.lets_anyone_read() && !acl.lets_anyone_write());
    /// assert!(Acl::parse("default").is_err(), "a word of objects only");
    /// # Ok::<(), countersign_protocol::acl::AclError>(())
    /// ```
    pub fn parse(word: &str) -> Result<Self, AclError> {
        match word {
            "private" => Ok(Self::Private),
            "public-read" => Ok(Self::PublicRead),
            "public-read-write" => Ok(Self::PublicReadWrite),
            _ => Err(AclError::Unknown { word: word.to_owned() }),
        }
    }

    /// Whether an anonymous visitor may read.
    pub fn lets_anyone_read(self) -> bool {
        self != Self::Private
    }

    /// Whether an anonymous visitor may write.
    pub fn lets_anyone_write(self) -> bool {
        self == Self::PublicReadWrite
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The list of one object: its own, or the bucket's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ObjectAcl {
    /// Whatever the bucket says.
    #[default]
    Default,
    /// The object's own list, whatever the bucket says.
    Own(Acl),
}

impl ObjectAcl {
    /// The word on the wire: `default` or one of [`Acl`]'s.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Own(acl) => acl.as_str(),
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Any word but `default` and those of [`Acl`].
    pub fn parse(word: &str) -> Result<Self, AclError> {
        if word == "default" { Ok(Self::Default) } else { Acl::parse(word).map(Self::Own) }
    }

    /// The list that applies to the object in a bucket with the given one.
    ///
    /// ```
    /// use countersign_protocol::{Acl, ObjectAcl};
    ///
    /// assert_eq!(ObjectAcl::Default.effective(Acl::PublicRead), Acl::PublicRead);
    /// assert_eq!(ObjectAcl::Own(Acl::Private).effective(Acl::PublicRead), Acl::Private);
    /// ```
    pub fn effective(self, bucket: Acl) -> Acl {
        match self {
            Self::Default => bucket,
            Self::Own(acl) => acl,
        }
    }
}

impl fmt::Display for ObjectAcl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a word is no access control list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// Not one of the words that OSS knows.
    #[error("no such bucket access control exists: {word:?}")]
    Unknown {
        /// The word as it came.
        word: String,
    },
}

impl From<AclError> for WireError {
    fn from(AclError::Unknown { word }: AclError) -> Self {
        Self::new(ErrorCode::InvalidArgument)
            .with_message("no such bucket access control exists")
            .with_element("ArgumentName", "x-oss-acl")
            .with_element("ArgumentValue", word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_every_word_it_writes() {
        for acl in [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite] {
            assert_eq!(Acl::parse(acl.as_str()), Ok(acl));
            assert_eq!(ObjectAcl::parse(acl.as_str()), Ok(ObjectAcl::Own(acl)));
        }
        assert_eq!(ObjectAcl::parse("default"), Ok(ObjectAcl::Default));
    }

    #[test]
    fn refuses_a_word_that_oss_does_not_know() {
        assert!(Acl::parse("default").is_err());
        assert!(Acl::parse("Private").is_err());
        let error = WireError::from(ObjectAcl::parse("everyone").unwrap_err());
        assert_eq!(error.message(), "no such bucket access control exists");
        assert_eq!(error.element("ArgumentValue"), Some("everyone"));
    }

    #[test]
    fn an_object_without_a_list_of_its_own_inherits_the_buckets() {
        assert_eq!(ObjectAcl::Default.effective(Acl::PublicRead), Acl::PublicRead);
        assert_eq!(ObjectAcl::Own(Acl::Private).effective(Acl::PublicReadWrite), Acl::Private);
    }
}
