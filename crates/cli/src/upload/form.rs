//! Writes the form of one upload: its key, its fields in the order of the samples, the file last and streamed.

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use indicatif::ProgressBar;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use tokio_util::io::ReaderStream;

use super::local_files::FileToUpload;
use super::signature_answer::SignatureAnswer;
use crate::setup::random;

/// How much of the file is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The form and the key that it asks for.
pub(super) struct UploadForm {
    pub(super) form: Form,
    /// The key as it will be, where it is known beforehand.
    pub(super) key: String,
}

/// Puts the form together and opens the file.
pub(super) async fn build(
    answer: &SignatureAnswer,
    file: &FileToUpload,
    keep_name: bool,
    bar: &ProgressBar,
) -> anyhow::Result<UploadForm> {
    let (field, key) = keys(answer, &file.name, keep_name)?;
    let mut form = Form::new().percent_encode_noop().text("key", field);
    for (name, value) in &answer.fields {
        form = form.text(name.clone(), value.clone());
    }
    if answer.wants_name {
        form = form.text("x:name", file.name.clone());
    }
    if keep_name && answer.fields.iter().all(|(name, _)| name != "x-oss-forbid-overwrite") {
        form = form.text("x-oss-forbid-overwrite", "true");
    }
    let opened = tokio::fs::File::open(&file.path).await;
    let opened = opened.with_context(|| format!("{} cannot be read", file.path.display()))?;
    let counted = bar.clone();
    let stream = ReaderStream::with_capacity(opened, CHUNK_BYTES)
        .inspect_ok(move |chunk| counted.inc(u64::try_from(chunk.len()).unwrap_or(0)));
    let part =
        Part::stream_with_length(Body::wrap_stream(stream), file.bytes).file_name(sent_name(&file.name));
    let part = match content_type(&file.name) {
        Some(known) => part.mime_str(known)?,
        None => part,
    };
    Ok(UploadForm { form: form.part("file", part), key })
}

/// The field `key`, and the key that comes of it.
fn keys(answer: &SignatureAnswer, name: &str, keep_name: bool) -> anyhow::Result<(String, String)> {
    const VARIABLE: &str = "${filename}";
    match answer.key.as_deref().map(|key| (key, key.strip_suffix(VARIABLE))) {
        // The application chose the whole key.
        Some((key, None)) => Ok((key.to_owned(), key.to_owned())),
        Some((key, Some(front))) if keep_name => Ok((key.to_owned(), format!("{front}{}", sent_name(name)))),
        None if keep_name => {
            let directory = &answer.directory;
            Ok((format!("{directory}{VARIABLE}"), format!("{directory}{}", sent_name(name))))
        }
        _ => {
            let key = format!("{}{}{}", answer.directory, random::text::<16>()?, extension(name));
            Ok((key.clone(), key))
        }
    }
}

/// A file's name as the form carries it: a quote or a line's end would end it there, a store takes what is before
/// a backslash for folders, and other control characters have no place in a key.
fn sent_name(name: &str) -> String {
    name.replace(|sign: char| sign.is_control() || matches!(sign, '"' | '\\'), "_")
}

/// The ending of a name with its dot; nothing where there is none.
fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !ending.is_empty() && ending.len() <= 20 => {
            format!(".{ending}")
        }
        _ => String::new(),
    }
}

/// What a browser would say about the commonest files. Of others nothing is said, so that the store guesses the type
/// from the key before it judges it.
fn content_type(name: &str) -> Option<&'static str> {
    Some(match extension(name).to_ascii_lowercase().as_str() {
        ".jpg" | ".jpeg" => "image/jpeg",
        ".png" => "image/png",
        ".gif" => "image/gif",
        ".webp" => "image/webp",
        ".heic" => "image/heic",
        ".mp4" => "video/mp4",
        ".mov" => "video/quicktime",
        ".pdf" => "application/pdf",
        ".txt" => "text/plain",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_sent_so_that_it_arrives() {
        assert_eq!(sent_name("照片 1 'a'+%22.jpg"), "照片 1 'a'+%22.jpg");
        assert_eq!(sent_name("we\"ird\nna\\me\u{1b}.txt"), "we_ird_na_me_.txt");
    }

    #[test]
    fn a_name_without_an_ending_gets_no_dot() {
        assert_eq!(extension("照片.JPG"), ".JPG");
        assert_eq!(extension("a.tar.gz"), ".gz");
        for none in ["noext", ".bashrc", "ends.", ""] {
            assert_eq!(extension(none), "", "{none}");
        }
    }
}
