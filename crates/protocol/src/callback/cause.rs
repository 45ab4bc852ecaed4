//! All causes of failed callbacks in one table: code, message word for word, EC, and the text of
//! `docs/callback-errors.md` in English and Chinese (CB-22, CB-62 to CB-65, ERR-27, ERR-28).
//!
//! A cause cannot exist without its row, because the enum is made from the rows.

use crate::ec;
use crate::error_code::ErrorCode;

/// When a callback fails, in relation to the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureStage {
    /// The parameter is refused before anything is stored: 400 InvalidArgument.
    Parameter,
    /// The call fails after the object is stored: 203 CallbackFailed.
    Call,
}

/// Who answers with a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// OSS and this store.
    Both,
    /// Only OSS; this store does better or does not know the situation.
    OssOnly,
    /// Only this store; OSS has no such rule, or no documented words for it.
    StoreOnly,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseRow {
    /// The cause.
    pub cause: CallbackCause,
    /// Where its explanation stands in the document.
    pub anchor: &'static str,
    /// Before or after the object is stored.
    pub stage: FailureStage,
    /// Who says so.
    pub answers: Answers,
    /// The message word for word; `{status}` stands for the application's status.
    pub message: &'static str,
    /// OSS's number, or one of our own range `0007-9…` where OSS documents none.
    pub ec: &'static str,
    /// Cause and remedy in English.
    pub english: Explanation,
    /// Cause and remedy in Chinese.
    pub chinese: Explanation,
}

/// What the reader is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl CauseRow {
    /// The code of the answer.
    ///
    /// ```
    /// use countersign_protocol::{ErrorCode, callback::CallbackCause};
    ///
    /// assert_eq!(CallbackCause::NotBase64.row().code(), ErrorCode::InvalidArgument, "nothing is stored");
    /// assert_eq!(CallbackCause::TimedOut.row().code(), ErrorCode::CallbackFailed, "the object stays");
    /// ```
    pub fn code(&self) -> ErrorCode {
        match self.stage {
            FailureStage::Parameter => ErrorCode::InvalidArgument,
            FailureStage::Call => ErrorCode::CallbackFailed,
        }
    }
}

macro_rules! causes {
    ($($name:ident $anchor:literal $stage:ident $answers:ident $ec:expr, $message:literal,
       en: $cause:literal => $remedy:literal,
       zh: $zh_cause:literal => $zh_remedy:literal;)+) => {
        /// A cause of a failed callback.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CallbackCause {
            $(#[doc = $cause] $name,)+
        }

        impl CallbackCause {
            /// Every cause, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The cause's row.
            pub fn row(self) -> &'static CauseRow {
                match self {
                    $(Self::$name => const {
                        &CauseRow {
                            cause: Self::$name,
                            anchor: $anchor,
                            stage: FailureStage::$stage,
                            answers: Answers::$answers,
                            message: $message,
                            ec: $ec,
                            english: Explanation { cause: $cause, remedy: $remedy },
                            chinese: Explanation { cause: $zh_cause, remedy: $zh_remedy },
                        }
                    },)+
                }
            }
        }
    };
}

causes! {
    ParameterTooLong "callback-too-long" Parameter Both ec::CALLBACK_TOO_LONG,
    "The length of callback exceed max value.",
    en: "The base64 text of `callback` is longer than 5 KB."
        => "Shorten `callbackBody`; move constant data to the application, which can look it up by key.",
    zh: "`callback` 的 base64 文本超过 5 KB。"
        => "缩短 `callbackBody`；固定不变的数据放在应用服务器上，用 object 名去查。";

    NotBase64 "callback-not-base64" Parameter Both ec::CALLBACK_NOT_BASE64,
    "The callback configuration is not base64 encoded.",
    en: "`callback` is not base64: often the JSON was sent as it is, the URL-safe alphabet was used, or line breaks were left in."
        => "Encode the JSON as UTF-8, then with the standard base64 alphabet, in one line.",
    zh: "`callback` 不是 base64：常见的是直接发了 JSON、用了 URL 安全字母表，或者留有换行。"
        => "先把 JSON 编成 UTF-8，再用标准 base64 编成一行。";

    NotJson "callback-not-json" Parameter Both ec::CALLBACK_NOT_JSON,
    "The callback configuration is not json format.",
    en: "The decoded `callback` is not one JSON object, or names a member twice. Usually the quotes inside `callbackBody` are not escaped."
        => "Build the JSON with a JSON library instead of joining texts.",
    zh: "`callback` 解码后不是一个 JSON 对象，或者同一个成员出现两次。多半是 `callbackBody` 里的引号没有转义。"
        => "用 JSON 库生成，不要拼接字符串。";

    UrlInvalid "callback-url" Parameter Both ec::CALLBACK_URL,
    "The callback url configuration is invalid.",
    en: "A URL in `callbackUrl` has a bad port, a bad host, an IPv6 literal, a user name, another scheme than http or https, or a character that is not percent-encoded."
        => "Write `http://host:port/path`; percent-encode anything beyond plain ASCII in path and query.",
    zh: "`callbackUrl` 中有 URL 的端口或主机名不对、是 IPv6 地址、带用户名、协议不是 http 或 https，或者有未经百分号编码的字符。"
        => "写成 `http://主机:端口/路径`；路径和参数里的中文等字符先做百分号编码。";

    TooManyUrls "callback-url-count" Parameter Both ec::CALLBACK_URL_COUNT,
    "The number of callback url exceed max value.",
    en: "`callbackUrl` names more than five URLs."
        => "Keep at most five, separated by semicolons; they are tried in order until one answers well.",
    zh: "`callbackUrl` 里的 URL 超过 5 个。"
        => "最多保留 5 个，用分号隔开；会按顺序尝试，直到有一个成功。";

    HostInvalid "callback-host" Parameter Both ec::CALLBACK_HOST,
    "The callback host configuration is invalid.",
    en: "`callbackHost` is not a string, or is no host name with an optional port; line breaks and other control characters are never let through."
        => "Give just the host, `app.example.com` or `app.example.com:8080`, or leave it out.",
    zh: "`callbackHost` 不是字符串，或者不是“主机名[:端口]”；换行等控制字符一律拒绝。"
        => "只写主机名，如 `app.example.com` 或 `app.example.com:8080`，也可以不写。";

    BodyInvalid "callback-body" Parameter Both ec::CALLBACK_BODY,
    "The callback body is invalid.",
    en: "`callbackBody` is not a string, or has a variable in the form `$(name)`."
        => "Write variables with braces, `${object}`; a JSON body has to be a string inside the JSON.",
    zh: "`callbackBody` 不是字符串，或者变量写成了 `$(name)`。"
        => "变量要用花括号：`${object}`；JSON 形式的 body 也要作为字符串放进去。";

    BodyEmpty "callback-body-empty" Parameter Both ec::CALLBACK_BODY_EMPTY,
    "The callback body is empty.",
    en: "`callbackBody` is missing or empty."
        => "Say what the application is to be told, for instance `filename=${object}&size=${size}`.",
    zh: "没有 `callbackBody`，或者它是空的。"
        => "写明要告诉应用什么，例如 `filename=${object}&size=${size}`。";

    BodyTooLong "callback-body-too-long" Parameter StoreOnly "0007-90000001",
    "The callback body would be too long.",
    en: "With its variables, `callbackBody` could grow longer than the store sends: 64 KiB, unless `--callback-body-max` says otherwise."
        => "Send shorter custom variables, and name each long one once.",
    zh: "代入变量后 `callbackBody` 可能超过存储允许的长度：默认 64 KiB，可用 `--callback-body-max` 调整。"
        => "缩短自定义变量，很长的变量只引用一次。";

    BodyTypeInvalid "callback-body-type" Parameter Both ec::CALLBACK_BODY_TYPE,
    "The callback body type configuration is invalid.",
    en: "`callbackBodyType` is not a string."
        => "Give `application/x-www-form-urlencoded` or `application/json`, or leave it out for the former.",
    zh: "`callbackBodyType` 不是字符串。"
        => "写 `application/x-www-form-urlencoded` 或 `application/json`；不写就是前者。";

    BodyTypeUnsupported "callback-body-type-unsupported" Parameter Both "0007-90000002",
    "The body type of callback is not supported.",
    en: "`callbackBodyType` is another type than the two."
        => "Give `application/x-www-form-urlencoded` or `application/json`, without a charset.",
    zh: "`callbackBodyType` 不是那两种类型之一。"
        => "只能写 `application/x-www-form-urlencoded` 或 `application/json`，不带 charset。";

    SniInvalid "callback-sni" Parameter StoreOnly "0007-90000003",
    "The callback SNI configuration is invalid.",
    en: "`callbackSNI` is neither `true` nor `false`."
        => "Leave it out: this store sends SNI with every https callback.",
    zh: "`callbackSNI` 既不是 `true` 也不是 `false`。"
        => "不用写：本存储的 https 回调总是带 SNI。";

    AdditionalHeadersInvalid "callback-additional-headers" Parameter Both ec::CALLBACK_ADDITIONAL_HEADERS,
    "The callback additional headers configuration is invalid.",
    en: "`additionalHeaders` is not an object of strings, or names a header that begins with `x-oss-` or that the callback sets itself, or a value holds a control character."
        => "Use header names of your own, for instance `x-app-tenant`.",
    zh: "`additionalHeaders` 不是由字符串组成的对象，或者用了 `x-oss-` 开头的、回调自己要设置的请求头，或者值里有控制字符。"
        => "用自己的请求头名，例如 `x-app-tenant`。";

    PolicyUnsupported "callback-policy" Parameter StoreOnly "0007-90000004",
    "The callback policy is not supported.",
    en: "`callbackPolicy` asks for a callback stored with the bucket, which this store does not offer."
        => "Send the callback itself: `callbackUrl` and `callbackBody`.",
    zh: "`callbackPolicy` 要用存放在 Bucket 上的回调，本存储不提供。"
        => "直接发送回调参数：`callbackUrl` 和 `callbackBody`。";

    HeaderAndQuery "callback-header-and-query" Parameter Both ec::CALLBACK_TWICE,
    "Either the callback query string parameter or the x-oss-callback header should be specified, not both.",
    en: "The request carries `callback` in the query and `x-oss-callback` as a header."
        => "Send one of them.",
    zh: "请求的参数里有 `callback`，同时又有请求头 `x-oss-callback`。"
        => "只保留一个。";

    VarHeaderAndQuery "callback-var-header-and-query" Parameter Both ec::CALLBACK_TWICE,
    "Either the callback-var query string parameter or the x-oss-callback-var header should be specified, not both.",
    en: "The request carries `callback-var` in the query and `x-oss-callback-var` as a header."
        => "Send one of them.",
    zh: "请求的参数里有 `callback-var`，同时又有请求头 `x-oss-callback-var`。"
        => "只保留一个。";

    VarTooLong "callback-var-too-long" Parameter Both ec::CALLBACK_VAR_TOO_LONG,
    "The length of callback var exceed max value.",
    en: "The base64 text of `callback-var` is longer than 5 KB."
        => "Send an id and look the rest up in the application.",
    zh: "`callback-var` 的 base64 文本超过 5 KB。"
        => "只传一个 id，其余内容由应用自己查。";

    VarNotJson "callback-var-not-json" Parameter Both ec::CALLBACK_VAR_NOT_JSON,
    "The callback var is not expecten json.",
    en: "`callback-var` is not base64 of a JSON object, or a name that begins with `x:` has a value that is no string. Names without `x:` are ignored."
        => "Send for instance `{\"x:user\":\"42\"}`, encoded.",
    zh: "`callback-var` 不是 JSON 对象的 base64，或者以 `x:` 开头的名字对应的值不是字符串。不以 `x:` 开头的名字会被忽略。"
        => "例如把 `{\"x:user\":\"42\"}` 编码后发送。";

    VarTwice "callback-var-twice" Parameter StoreOnly "0007-90000010",
    "The callback var and the form give a variable two values.",
    en: "The form has a field `x:name`, and its `callback-var` gives the same name another value (letter case does not count)."
        => "Send each variable once: as a field, or in `callback-var`.",
    zh: "表单里有字段 `x:name`，而 `callback-var` 给同一个名字另一个值（不区分大小写）。"
        => "每个变量只发一次：作为表单字段，或者放在 `callback-var` 里。";

    SignatureVersionInvalid "callback-signature-version" Parameter OssOnly "0007-90000005",
    "The callback signature version is invalid.",
    en: "The callback asks for a signature version besides 1.0 and 2.0. This store ignores the request and always signs as version 1.0."
        => "Leave the version out.",
    zh: "回调要求的签名版本不是 1.0 或 2.0。本存储忽略这一项，总按 1.0 签名。"
        => "不要写版本。";

    HostWithoutAddress "callback-host-without-address" Parameter OssOnly "0007-90000006",
    "Can not get ip by this host.",
    en: "OSS found no address for the callback's host before the upload. This store looks the name up when it calls, and answers 203."
        => "Check the name in a public DNS.",
    zh: "OSS 在上传前解析不到回调主机的地址。本存储在调用时才解析，失败时返回 203。"
        => "用公共 DNS 检查这个域名。";

    ErrorStatus "error-status" Call Both ec::CALLBACK_STATUS,
    "Error status : {status}.",
    en: "The application answered with another status than 200. 201 and 204 count as failures too, and a redirect is not followed."
        => "Answer 200 exactly; for 404 check the path, for 301 or 302 give the final URL, for 5xx read the application's log.",
    zh: "应用返回的状态码不是 200。201、204 也算失败；重定向不会被跟随。"
        => "必须返回 200；404 检查路径，301/302 改用最终的 URL，5xx 看应用的日志。";

    AnswerNotJson "answer-not-json" Call Both ec::CALLBACK_ANSWER_NOT_JSON,
    "Response body is not valid json format.",
    en: "The application's answer is not JSON: a bare OK, HTML, a stack trace, or JSON behind a UTF-8 byte order mark."
        => "Answer with JSON in UTF-8 without a byte order mark, for instance `{\"Status\":\"OK\"}`. PHP files saved with a byte order mark are the usual culprit.",
    zh: "应用的返回不是 JSON：只有 OK、HTML、错误堆栈，或者 JSON 前面有 UTF-8 BOM。"
        => "返回不带 BOM 的 UTF-8 JSON，例如 `{\"Status\":\"OK\"}`。PHP 文件保存成带 BOM 的最常见。";

    TimedOut "timed-out" Call Both ec::CALLBACK_TIMEOUT,
    "Cost too long time.",
    en: "No complete answer came within five seconds."
        => "Record the upload, answer at once, and do slow work afterwards.",
    zh: "5 秒内没有收到完整的返回。"
        => "先记下这次上传并立即返回，耗时的事以后再做。";

    Unreachable "unreachable" Call Both ec::CALLBACK_STATUS,
    "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
    en: "Nothing accepted the connection at the callback's address and port."
        => "Check that the application listens on that address and port, and the firewall between it and the store.",
    zh: "回调的地址和端口上没有程序接受连接。"
        => "检查应用是否在这个地址和端口上监听，以及它与存储之间的防火墙。";

    NameUnresolved "name-unresolved" Call Both ec::CALLBACK_STATUS,
    "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
    en: "The callback's host name leads to no IPv4 address."
        => "Check the spelling, and that the store's own DNS knows the name.",
    zh: "回调的主机名解析不到 IPv4 地址。"
        => "检查拼写，并确认存储所用的 DNS 认识这个名字。";

    TlsFailed "tls-failed" Call Both ec::CALLBACK_STATUS,
    "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
    en: "The https connection failed: the certificate has expired, names another host, or comes from nobody whom the store trusts."
        => "Install a valid certificate with its whole chain, or use http inside a trusted network.",
    zh: "https 握手失败：证书过期、域名不符，或者不是受信任的机构签发的。"
        => "安装有效且链完整的证书，或者在可信网络内使用 http。";

    AnswerBroken "answer-broken" Call Both ec::CALLBACK_STATUS,
    "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
    en: "The connection broke before the whole answer had arrived, or what came was not HTTP."
        => "Check for a crash in the application's log, and that `Content-Length` is the body's length in bytes.",
    zh: "返回还没收完连接就断了，或者收到的不是 HTTP。"
        => "看应用日志里有没有崩溃，并确认 `Content-Length` 是 body 的字节数。";

    LengthMissing "content-length-missing" Call Both ec::CALLBACK_STATUS,
    "Error Status : 400.User server missing content-length.",
    en: "The answer has no `Content-Length`; a chunked answer has none either."
        => "Send the answer in one piece with its length; many frameworks do so when given a whole string.",
    zh: "返回里没有 `Content-Length`；chunked 方式也没有它。"
        => "整段返回并带上长度；多数框架在返回完整字符串时会自动带上。";

    LengthInvalid "content-length-invalid" Call Both ec::CALLBACK_STATUS,
    "Error Status : 400.User server return invalid conent-length value.",
    en: "`Content-Length` is no positive number; an empty answer counts as this."
        => "Answer with at least `{}`.",
    zh: "`Content-Length` 不是正整数；空的返回也算。"
        => "至少返回 `{}`。";

    LengthTooLong "content-length-too-long" Call Both ec::CALLBACK_STATUS,
    "Error Status : 400.User server return too long content-length value",
    en: "The answer is longer than 3 MB. OSS's documents also speak of 1 MB."
        => "Answer what the uploader needs, and keep it below 1 MB to be safe with OSS.",
    zh: "返回超过 3 MB。OSS 的文档也有写 1 MB 的。"
        => "只返回上传者需要的内容；要兼容 OSS，请保持在 1 MB 以内。";

    ImageInfoFailed "image-info-failed" Call OssOnly ec::IMAGE_INFO,
    "Get image info failed.",
    en: "OSS could not read the image that `imageInfo` variables ask about. This store leaves them empty instead."
        => "Check that the file is whole and of a supported format.",
    zh: "OSS 读不出 `imageInfo` 变量所问的图片。本存储则让它们为空。"
        => "检查文件是否完整、格式是否受支持。";

    TooManyRequests "too-many-requests" Call Both "0007-90000007",
    "Too many callback requests.",
    en: "So many callbacks are under way, most of them to this application, that this one was not tried."
        => "Make the application answer faster; the store still owes the callback and lists it.",
    zh: "正在进行的回调太多，其中大多数发往这个应用，这一次没有发出。"
        => "让应用更快返回；这次回调仍记在存储的待办里，可以查到。";

    GaveWay "gave-way" Call StoreOnly "0007-90000020",
    "The callback gave way to callbacks to other applications.",
    en: "All places for callbacks were taken, most of them by callbacks to this application that it had not answered. This one had waited longest, and was ended for one to another application."
        => "Make the application answer faster. It may have recorded the upload; the store still owes the callback and lists it.",
    zh: "回调的名额已满，其中大多数在等这个应用返回。这一次等得最久，因此被结束，把名额让给发往其他应用的回调。"
        => "让应用更快返回。它可能已经记下了这次上传；这次回调仍记在存储的待办里，可以查到。";

    AnswersTooMany "answers-too-many" Call StoreOnly "0007-90000010",
    "The answer of the callback could not be held.",
    en: "The application answered, but answers that clients have not read yet hold all the memory that they may have, so that this one could not be relayed."
        => "Ask the application whether it knows the upload. Keep answers below 4 KiB: those are never dropped.",
    zh: "应用已经应答，但客户端尚未读取的应答占满了可用内存，这一份无法转交。"
        => "向应用查询是否已记录这次上传。把应答控制在 4 KiB 以内就不会被丢弃。";

    DestinationRefused "destination-refused" Call Both "0007-90000008",
    "Private address is forbidden to callback.",
    en: "The callback leads to a private, loopback, link-local or otherwise special address that the operator has not listed. OSS says so before the upload, with 400."
        => "If that is intended, start the store with the `--callback-allow` line that the answer's element `CallbackAllow` and the store's log name.",
    zh: "回调指向内网、回环、链路本地等特殊地址，而运维人员没有放行。OSS 会在上传前以 400 拒绝。"
        => "如果确实要用，启动存储时加上返回的 `CallbackAllow` 元素和日志里给出的 `--callback-allow` 一行。";

    NotSigned "not-signed" Call StoreOnly "0007-90000009",
    "The callback could not be signed.",
    en: "The store's own key failed, so that nothing was sent."
        => "Read the store's log; the key file in its data folder may be damaged.",
    zh: "存储自己的密钥无法签名，因此没有发出任何请求。"
        => "查看存储的日志；数据目录里的密钥文件可能已损坏。";
}
