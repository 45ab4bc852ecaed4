//! Shows an error for the log with everything that led to it, outermost first.
//!
//! Clients never see it: what they are told is written where answers are.

use std::error::Error;
use std::fmt;

/// An error and its sources, with colons between them. A source that the text before it tells already is left out.
pub(crate) struct ErrorChain<'e>(pub(crate) &'e dyn Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            let text = source.to_string();
            if !told.contains(&text) {
                write!(f, ": {text}")?;
            }
            told = text;
            next = source.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("the upload failed")]
        Upload(#[source] Box<Failure>),
        #[error("the file cannot be written: {0}")]
        File(#[source] std::io::Error),
    }

    #[test]
    fn shows_every_source_once() {
        let file = Failure::File(std::io::Error::other("the disk is gone"));
        let chain = Failure::Upload(Box::new(file));
        let told = "the upload failed: the file cannot be written: the disk is gone";
        assert_eq!(ErrorChain(&chain).to_string(), told);
    }
}
