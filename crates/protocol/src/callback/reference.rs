//! Renders `docs/callback-errors.md` and its Chinese twin from the table of causes, so that no cause is
//! without an explanation and no explanation without a cause.

use super::cause::{Answers, CallbackCause, CauseRow, Explanation, FailureStage};
use crate::language::Language;

/// The texts around the table.
struct Frame {
    title: &'static str,
    introduction: &'static str,
    parameter_heading: &'static str,
    call_heading: &'static str,
    columns: &'static str,
    nothing_stored: &'static str,
    object_stays: &'static str,
    oss_only: &'static str,
    store_only: &'static str,
}

const ENGLISH: Frame = Frame {
    title: "Callback errors",
    introduction: "Every way in which an upload callback goes wrong: what happened, what the uploader \
        receives, and what to do about it. The element `RecommendDoc` of an error points at its row. This page \
        is made from the code's own table; change it there. EC numbers `0007-9…` are Countersign's own, where \
        OSS documents none.",
    parameter_heading: "Refused before the upload: 400 InvalidArgument",
    call_heading: "Failed after the upload: 203 CallbackFailed",
    columns: "| What happened | What the uploader receives | What to do |",
    nothing_stored: "Nothing is stored and nobody is called.",
    object_stays: "The object stays; the store still owes the callback and `countersign callbacks list` shows it.",
    oss_only: "Only Alibaba Cloud OSS answers this.",
    store_only: "Only Countersign answers this.",
};

const CHINESE: Frame = Frame {
    title: "回调错误",
    introduction: "上传回调会怎样出错：发生了什么、上传者收到什么、该怎么办。错误里的 `RecommendDoc` 指向对应的一行。\
        本页由代码里的表生成，要改请改那里。`0007-9…` 的 EC 编号是 Countersign 自己的，因为 OSS 没有公布。",
    parameter_heading: "上传之前被拒绝：400 InvalidArgument",
    call_heading: "上传之后失败：203 CallbackFailed",
    columns: "| 发生了什么 | 上传者收到什么 | 该怎么办 |",
    nothing_stored: "什么也没有存储，也没有调用任何人。",
    object_stays: "Object 保留；这次回调仍记在存储的待办里，用 `countersign callbacks list` 可以看到。",
    oss_only: "只有阿里云 OSS 会这样返回。",
    store_only: "只有 Countersign 会这样返回。",
};

/// The whole document.
///
/// ```
/// use countersign_protocol::callback::reference::render;
/// use countersign_protocol::language::Language;
///
/// let page = render(Language::Chinese);
/// assert!(page.starts_with("# 回调错误\n") && page.contains("<a id=\"timed-out\"></a>"));
/// ```
pub fn render(language: Language) -> String {
    let frame = match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    };
    let mut page = format!("# {}\n\n{}\n", frame.title, frame.introduction);
    for (stage, heading) in
        [(FailureStage::Parameter, frame.parameter_heading), (FailureStage::Call, frame.call_heading)]
    {
        let note = match stage {
            FailureStage::Parameter => frame.nothing_stored,
            FailureStage::Call => frame.object_stays,
        };
        page += &format!("\n## {heading}\n\n{note}\n\n{}\n|---|---|---|\n", frame.columns);
        let rows = CallbackCause::ALL.iter().map(|cause| cause.row());
        for row in rows.filter(|row| row.stage == stage) {
            page += &render_row(row, explanation(row, language), frame);
        }
    }
    page
}

fn explanation(row: &CauseRow, language: Language) -> &Explanation {
    match language {
        Language::English => &row.english,
        Language::Chinese => &row.chinese,
    }
}

fn render_row(row: &CauseRow, explanation: &Explanation, frame: &Frame) -> String {
    let whose = match row.answers {
        Answers::Both => String::new(),
        Answers::OssOnly => format!(" *{}*", frame.oss_only),
        Answers::StoreOnly => format!(" *{}*", frame.store_only),
    };
    format!(
        "| <a id=\"{}\"></a>{}{whose} | `{} {}`<br>`{}`<br>EC `{}` | {} |\n",
        row.anchor,
        explanation.cause,
        row.code().status(),
        row.code(),
        row.message,
        row.ec,
        explanation.remedy,
    )
}

#[cfg(test)]
mod tests;
