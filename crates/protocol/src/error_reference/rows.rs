//! The rows of the error reference, in the order of the codes' names.

use super::error_row::ErrorRow;
use crate::ErrorCode;
use crate::callback::cause::Explanation;

macro_rules! error_rows {
    ($($code:ident
       en: $cause:literal => $remedy:literal,
       zh: $zh_cause:literal => $zh_remedy:literal;)+) => {
        /// Every code that the store answers, explained.
        pub const ROWS: &[ErrorRow] = &[$(ErrorRow {
            code: ErrorCode::$code,
            english: Explanation { cause: $cause, remedy: $remedy },
            chinese: Explanation { cause: $zh_cause, remedy: $zh_remedy },
        },)+];
    };
}

error_rows! {
    AccessDenied
    en: "The signature is right, but it does not permit this: a condition of the policy is not met, the policy has expired, the bucket or object is private, or the bucket's mode refuses a field that the policy does not cover. The message names which."
        => "Compare the condition in the message with the form that was sent. A condition on `$callback`: send the field `callback` that `/signature` answered, or ask for `/signature?callback=0`. Ask the application for a fresh signature if it has expired.",
    zh: "签名是对的，但不允许这样做：policy 的某个条件不满足、policy 已过期、Bucket 或 Object 是私有的，或者 Bucket 的模式拒绝了 policy 没有涵盖的表单域。消息里写明是哪一种。"
        => "把消息里的条件与实际发送的表单对照。条件是 `$callback` 时：发送 `/signature` 返回的 `callback` 表单域，或者改用 `/signature?callback=0` 取签名。如果过期了，向应用重新取签名。";

    AccessForbidden
    en: "The bucket's CORS rules do not permit this page's origin, method or headers."
        => "Permit the origin: `countersign bucket set BUCKET --allow-origin ORIGIN`, or PutBucketCors with an SDK.",
    zh: "Bucket 的 CORS 规则不允许这个网页的来源、方法或请求头。"
        => "放行这个来源：`countersign bucket set BUCKET --allow-origin 来源`，或用 SDK 调用 PutBucketCors。";

    ArchiveRestoreNotFinished
    en: "The object is archived and its restore has not ended yet."
        => "Wait until the restore has ended, then ask again.",
    zh: "Object 是归档类型，解冻尚未完成。"
        => "等解冻完成后再试。";

    BadRequest
    en: "The request is not HTTP as the store can read it: a malformed target, header or framing."
        => "Send the request with an HTTP library; a proxy in between may have changed it.",
    zh: "请求不是存储能读懂的 HTTP：目标、请求头或分帧有误。"
        => "用 HTTP 库发送；也可能是中间的代理改动了请求。";

    BucketAlreadyExists
    en: "A bucket of this name exists and belongs to somebody else, or exists with other settings than the request names."
        => "Choose another name, or leave the settings of the existing bucket as they are.",
    zh: "同名 Bucket 已存在：属于别人，或者设置与请求里的不同。"
        => "换一个名字，或保持现有 Bucket 的设置不变。";

    BucketNotEmpty
    en: "The bucket still holds objects and cannot be deleted."
        => "Delete its objects first.",
    zh: "Bucket 里还有 Object，不能删除。"
        => "先删除里面的 Object。";

    CORSRuleBeyondLimit
    en: "A bucket takes at most ten CORS rules."
        => "Merge rules: one rule may hold many origins.",
    zh: "一个 Bucket 最多 10 条 CORS 规则。"
        => "合并规则：一条规则可以写多个来源。";

    CallbackFailed
    en: "The file is stored, but the application did not confirm it. The element `Message` and the EC number say in which way."
        => "Look the message up under callback errors. Do not upload again: the object is there, and the store lists the callback with `countersign callbacks list`.",
    zh: "文件已存储，但应用没有确认。`Message` 和 EC 编号说明是哪一种情况。"
        => "在回调错误里查这条消息。不要重复上传：Object 已在，用 `countersign callbacks list` 可以看到这次回调。";

    DataFolderUnusable
    en: "The store cannot read or write its data folder: no permission, a failing disk, or a file system that is read-only or gone."
        => "The operator finds the reason on the health page (`/_countersign/healthz`) and in the log.",
    zh: "存储无法读写数据目录：没有权限、磁盘故障，或文件系统只读或已不在。"
        => "由运维查看健康页（`/_countersign/healthz`）和日志里的原因。";

    EntityTooLarge
    en: "The file is larger than the policy's `content-length-range` allows, or than 5 GB. The upload was stopped at the limit and nothing is stored."
        => "Choose a smaller file, or let the application sign a larger range.",
    zh: "文件超过 policy 里 `content-length-range` 的上限，或超过 5 GB。上传到上限就停止了，什么也没有存储。"
        => "换小一些的文件，或让应用签一个更大的范围。";

    EntityTooSmall
    en: "The file is smaller than the policy's `content-length-range` allows; an empty file counts as 0 bytes."
        => "Check that the file is not empty and was read whole.",
    zh: "文件小于 policy 里 `content-length-range` 的下限；空文件按 0 字节算。"
        => "确认文件不是空的，并且读取完整。";

    FieldItemTooLong
    en: "A form field's name is longer than 8 KB or its value longer than 2 MB."
        => "Shorten it; only the file itself may be large, and it comes last.",
    zh: "表单域的名称超过 8 KB，或值超过 2 MB。"
        => "缩短它；只有文件本身可以大，而且要放在最后。";

    FileAlreadyExists
    en: "An object of this name exists, and the request forbids overwriting it."
        => "Upload under another name; a random name per file avoids this.",
    zh: "同名 Object 已存在，而请求禁止覆盖。"
        => "换一个名字上传；每个文件用随机名可以避免。";

    IncompleteBody
    en: "Fewer bytes arrived than `Content-Length` said. Nothing is stored."
        => "Upload again; the connection was probably cut.",
    zh: "到达的字节比 `Content-Length` 少。什么也没有存储。"
        => "重新上传；多半是连接中断。";

    IncorrectNumberOfFilesInPOSTRequest
    en: "The form has no field `file`, or more than one."
        => "Send exactly one file, in a field named `file`, as the last field.",
    zh: "表单里没有 `file` 域，或多于一个。"
        => "只发一个文件，域名为 `file`，放在最后。";

    InsufficientStorage
    en: "The store's disk has no room for this upload. Nothing of it is stored; reading and deleting go on."
        => "The operator makes room: delete objects or enlarge the disk.",
    zh: "存储的磁盘放不下这次上传。什么也没有存储；读取和删除仍可进行。"
        => "由运维腾出空间：删除 Object 或扩容。";

    InternalError
    en: "Something failed inside the store. What it was is in its log, under this request's id."
        => "Give the request id to the operator; an upload may be tried again.",
    zh: "存储内部出错。原因在它的日志里，按请求 ID 查找。"
        => "把请求 ID 交给运维；上传可以重试。";

    InvalidAccessKeyId
    en: "No access key of this id is known to the store."
        => "Check the id, and that it belongs to this store: a key of Alibaba Cloud is not known here, and the reverse.",
    zh: "存储不认识这个 AccessKey ID。"
        => "检查 ID，并确认它属于这个存储：阿里云的密钥这里不认识，反之亦然。";

    InvalidArgument
    en: "A header, query parameter, form field or element has a value that is not permitted. `ArgumentName` and the message say which."
        => "Correct the named value.",
    zh: "某个请求头、参数、表单域或元素的值不允许。`ArgumentName` 和消息说明是哪一个。"
        => "改正所指的值。";

    InvalidBucketName
    en: "A bucket's name has 3 to 63 characters: lower-case letters, digits and hyphens, and begins and ends with a letter or digit."
        => "Choose another name.",
    zh: "Bucket 名称为 3 到 63 个字符：小写字母、数字和短横线，首尾必须是字母或数字。"
        => "换一个名字。";

    InvalidCRC64
    en: "The bytes that arrived have another CRC-64 than `x-oss-hash-crc64ecma` says. Nothing is stored."
        => "Upload again; the bytes were damaged on the way, or the checksum is of another file.",
    zh: "到达的字节的 CRC-64 与 `x-oss-hash-crc64ecma` 不符。什么也没有存储。"
        => "重新上传；字节在途中损坏，或校验值属于别的文件。";

    InvalidDigest
    en: "`Content-MD5` is not the base64 of 16 bytes, or the bytes that arrived have another MD5. Nothing is stored."
        => "Encode the 16 raw bytes of the digest, not its hexadecimal text; upload again.",
    zh: "`Content-MD5` 不是 16 字节的 base64，或与到达的字节不符。什么也没有存储。"
        => "对 MD5 的 16 个原始字节做 base64，不是对十六进制文本；然后重新上传。";

    InvalidEncryptionAlgorithmError
    en: "The request asks for server-side encryption, which this store does not do, or names an unknown algorithm."
        => "Leave the encryption headers out; encrypt the disk under the data folder where that is needed.",
    zh: "请求要求服务端加密，本存储不做，或算法名不认识。"
        => "去掉加密请求头；需要加密时对数据目录所在的磁盘加密。";

    InvalidObjectName
    en: "A key has 1 to 1,023 bytes of UTF-8 and does not begin with a slash or backslash."
        => "Choose another key.",
    zh: "Object 名称为 1 到 1023 字节的 UTF-8，不能以斜杠或反斜杠开头。"
        => "换一个名字。";

    InvalidObjectState
    en: "The object is archived and cannot be read before it is restored."
        => "Restore it first.",
    zh: "Object 是归档类型，解冻之前不能读取。"
        => "先解冻。";

    InvalidPolicyDocument
    en: "The form's `policy` cannot be read: not base64, not JSON, no `expiration`, or a condition of the wrong shape. The EC number says what."
        => "Let `countersign app` or an official sample build the policy, and send it unchanged.",
    zh: "表单里的 `policy` 无法读取：不是 base64、不是 JSON、没有 `expiration`，或某个条件的形状不对。EC 编号说明是哪一种。"
        => "用 `countersign app` 或官方示例生成 policy，并原样发送。";

    InvalidRange
    en: "The range begins behind the end of the object."
        => "Ask for bytes within the object's length.",
    zh: "范围的起点超过了 Object 的末尾。"
        => "请求 Object 长度以内的字节。";

    InvalidRequest
    en: "The request contradicts itself, for instance a signature both in the header and in the address."
        => "Send one of the two.",
    zh: "请求自相矛盾，例如请求头和地址里各有一个签名。"
        => "只保留其中一个。";

    InvalidSecurityToken
    en: "The request carries a security token that does not belong to its key."
        => "Leave the token out for a permanent key; ask for fresh temporary credentials otherwise.",
    zh: "请求里的安全令牌与密钥不匹配。"
        => "长期密钥不要带令牌；临时密钥请重新获取。";

    MalformedPOSTRequest
    en: "The body is not a multipart form that the store can read, it ends early, or the file is not the last field."
        => "Send the form with a library; put `file` last.",
    zh: "请求体不是可读的 multipart 表单、提前结束，或文件不是最后一个域。"
        => "用库来发送表单；`file` 放在最后。";

    MalformedXML
    en: "The XML of the request is not well formed, or has an element or value that is not known there."
        => "Compare it with the API's document; SDKs write it rightly.",
    zh: "请求里的 XML 格式不对，或有不认识的元素或值。"
        => "对照 API 文档；SDK 生成的是正确的。";

    MaxPOSTPreDataLengthExceededError
    en: "What stands in front of the file in the form is larger than 8 MB."
        => "Send fewer or shorter fields.",
    zh: "表单里文件之前的内容超过 8 MB。"
        => "减少或缩短表单域。";

    MethodNotAllowed
    en: "The resource does not have this method."
        => "Check method and address against the API's document.",
    zh: "这个资源不支持该方法。"
        => "对照 API 文档检查方法和地址。";

    MissingArgument
    en: "A parameter that the operation needs is not there; the message names it."
        => "Add it.",
    zh: "缺少操作所需的参数，消息里写明是哪一个。"
        => "补上它。";

    MissingContentLength
    en: "A body came without its length."
        => "Send `Content-Length`, or a chunked body.",
    zh: "请求体没有长度。"
        => "发送 `Content-Length`，或使用 chunked。";

    NoSuchBucket
    en: "There is no bucket of this name on this store."
        => "Check the name; create it with `countersign bucket create NAME`.",
    zh: "这个存储上没有此名称的 Bucket。"
        => "检查名称；用 `countersign bucket create 名称` 创建。";

    NoSuchCORSConfiguration
    en: "The bucket has no CORS rules."
        => "Nothing is wrong; set some with `countersign bucket set BUCKET --allow-origin ORIGIN`.",
    zh: "Bucket 没有 CORS 规则。"
        => "这不是错误；可用 `countersign bucket set BUCKET --allow-origin 来源` 设置。";

    NoSuchKey
    en: "There is no object of this name in the bucket."
        => "Check the key, letter by letter; `+` in an address is a space and is written `%2B`.",
    zh: "Bucket 里没有此名称的 Object。"
        => "逐字检查名称；地址里的 `+` 表示空格，加号本身写成 `%2B`。";

    NoSuchLifecycle
    en: "The bucket has no lifecycle rules."
        => "Nothing is wrong.",
    zh: "Bucket 没有生命周期规则。"
        => "这不是错误。";

    NoSuchUpload
    en: "There is no multipart upload of this id."
        => "Begin it anew.",
    zh: "没有这个 ID 的分片上传。"
        => "重新开始上传。";

    NoSuchVersion
    en: "The object has no version of this id."
        => "Ask without `versionId`; versions are not kept here.",
    zh: "Object 没有这个版本。"
        => "去掉 `versionId`；本存储不保留历史版本。";

    NotImplemented
    en: "The API has this operation, header or parameter, and this store does not do it. The message names it. Nothing was changed."
        => "Leave it out if it is not needed. The README lists what is served.",
    zh: "API 有这个操作、请求头或参数，但本存储不做。消息里写明是哪一个。什么也没有改变。"
        => "如果不需要就去掉。README 列出了支持的操作。";

    ObjectDamaged
    en: "The bytes on the disk are no longer what was stored, or are gone. They are not served as good."
        => "The operator restores the object from a backup; `countersign scrub` names every damaged one.",
    zh: "磁盘上的字节已不是当初存储的内容，或已丢失。不会当作完好的返回。"
        => "由运维从备份恢复；`countersign scrub` 会列出所有损坏的 Object。";

    OpenFilesExhausted
    en: "The store has no file descriptor left for this request. Nothing of it was stored."
        => "Try again after the seconds in `Retry-After`; the operator raises the limit of open files (`ulimit -n`, `LimitNOFILE`).",
    zh: "存储没有可用的文件描述符来处理这个请求。什么也没有存储。"
        => "按 `Retry-After` 的秒数后重试；由运维提高打开文件数上限（`ulimit -n`、`LimitNOFILE`）。";

    OperationNotSupported
    en: "The operation does not fit this object or bucket."
        => "See the message.",
    zh: "该操作不适用于这个 Object 或 Bucket。"
        => "见消息。";

    PreconditionFailed
    en: "A condition of the request, such as `If-Match`, does not hold."
        => "Read the object's present state and decide again.",
    zh: "请求里的条件（如 `If-Match`）不成立。"
        => "读取 Object 的当前状态后再决定。";

    RequestIsNotMultiPartContent
    en: "A form upload needs `Content-Type: multipart/form-data` with a boundary."
        => "Let the browser or the library set the header; do not set it by hand.",
    zh: "表单上传需要带 boundary 的 `Content-Type: multipart/form-data`。"
        => "让浏览器或库来设置这个请求头，不要手写。";

    RequestTimeTooSkewed
    en: "The request's time is more than 15 minutes away from the store's. `ServerTime` says the store's."
        => "Set the clock of the machine that signs.",
    zh: "请求的时间与存储相差超过 15 分钟。`ServerTime` 是存储的时间。"
        => "校准签名机器的时钟。";

    RequestTimeout
    en: "The sender stopped, or was slower than the least rate, for a minute. Nothing is stored."
        => "Upload again over a better connection.",
    zh: "发送方停顿，或低于最低速率达一分钟。什么也没有存储。"
        => "换好一些的网络重新上传。";

    ServiceUnavailable
    en: "The store is stopping, or cannot take this request at the moment."
        => "Try again shortly.",
    zh: "存储正在停止，或暂时不能处理请求。"
        => "稍后再试。";

    SignatureDoesNotMatch
    en: "The signature was not made with this key over this request. `StringToSign` shows what the store signed."
        => "Compare it with what the client signed: a wrong secret, a proxy that changed a header or the path, or a wrong clock are the usual causes.",
    zh: "签名不是用这个密钥对这个请求算出来的。`StringToSign` 是存储所签的内容。"
        => "与客户端所签的内容对照：常见原因是密钥错误、代理改了请求头或路径、时钟不准。";

    SlowDown
    en: "Too many uploads are under way at the moment, or a budget is in use. Nothing of this one was taken."
        => "Try again after the seconds in `Retry-After`. If uploads with a callback go on being refused, the store holds as many owed callbacks as it may: the health page (`/_countersign/healthz`) says so, and `countersign callbacks list` and `drop` look at them and free their room.",
    zh: "当前上传过多，或某项配额已用满。这次上传没有被接收。"
        => "按 `Retry-After` 的秒数后重试。如果带回调的上传一直被拒绝，说明待办的回调已达上限：健康页（`/_countersign/healthz`）会写明，用 `countersign callbacks list` 查看，用 `drop` 清理。";

    TooManyBuckets
    en: "The store takes no more buckets."
        => "Delete one that is not needed.",
    zh: "存储不再接受更多 Bucket。"
        => "删除不需要的。";

    UserKeyMustBeSpecified
    en: "The form has no field `key`, or it came after the file."
        => "Send `key` before `file`.",
    zh: "表单里没有 `key` 域，或放在了文件之后。"
        => "把 `key` 放在 `file` 之前。";

    WritesRefused
    en: "The store's disk failed to keep a write, so the store takes no more until it is started anew. Reads are still answered."
        => "The operator looks at the health page (`/_countersign/healthz`) and the log, mends the disk and starts the store again.",
    zh: "存储的磁盘写入失败，重启之前不再接受写入。读取仍可进行。"
        => "由运维查看健康页（`/_countersign/healthz`）和日志，修复磁盘后重启。";
}
