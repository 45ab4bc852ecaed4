//! Renders `docs/errors.md` and its Chinese twin from the rows of the error reference.

use super::ROWS;
use crate::language::Language;

/// The whole document in one language.
///
/// ```
/// use countersign_protocol::error_reference::markdown;
/// use countersign_protocol::language::Language;
///
/// assert!(markdown(Language::English).contains("NoSuchBucket"));
/// ```
pub fn markdown(language: Language) -> String {
    let (head, columns) = match language {
        Language::English => (
            "# Errors\n\nEvery error code that the store answers: what happened, and what to do. The element `RecommendDoc` \
             of an error is a link to its row, which the store itself serves under `/_countersign/docs/errors/`, in \
             English or Chinese. How callbacks fail is told in [callback-errors.md](callback-errors.md). This page is \
             made from `crates/protocol/src/error_reference/rows.rs`; change it there.\n",
            "| Status | Code | What happened | What to do |",
        ),
        Language::Chinese => (
            "# 错误码\n\n存储会返回的每个错误码：发生了什么，该怎么办。错误里的 `RecommendDoc` 是指向对应一行的链接，由存储自己在 \
             `/_countersign/docs/errors/` 下提供，有中文和英文。回调失败的各种情况见 \
             [callback-errors.zh-CN.md](callback-errors.zh-CN.md)。本页由 \
             `crates/protocol/src/error_reference/rows.rs` 生成，要改请改那里。\n",
            "| 状态码 | 错误码 | 发生了什么 | 该怎么办 |",
        ),
    };
    let mut page = format!("{head}\n{columns}\n|---|---|---|---|\n");
    for row in ROWS {
        let explanation = row.explanation(language);
        page += &format!(
            "| {} | <a id=\"{code}\"></a>`{code}` | {} | {} |\n",
            row.code.status(),
            explanation.cause,
            explanation.remedy,
            code = row.code,
        );
    }
    page
}
