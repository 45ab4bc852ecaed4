//! The error codes of OSS with their status, usual message and, where one belongs to the code as a whole,
//! EC number (ERR-7, ERR-10 to ERR-18, ERR-29 to ERR-33). Messages are strings of the wire: their odd
//! spellings are OSS's own.

use std::fmt;

macro_rules! error_codes {
    ($($name:ident $status:literal $($ec:literal)? : $message:literal;)+) => {
        /// What went wrong, as the element `Code` of the error XML says it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = concat!("Status ", $status, ": ", $message)] $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code's word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The HTTP status that comes with the code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The message that OSS gives when the cause has none of its own.
            pub fn default_message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }

            /// The EC number when the code has one whatever the cause.
            pub fn default_ec(self) -> Option<&'static str> {
                match self { $(Self::$name => [$($ec,)? ""].first().copied().filter(|ec| !ec.is_empty()),)+ }
            }
        }
    };
}

error_codes! {
    CallbackFailed 203: "Callback failed.";
    NotModified 304: "Not Modified";

    ArgumentsConflict 400: "The arguments contradict each other.";
    BadRequest 400: "Insufficient information.";
    CORSRuleBeyondLimit 400: "The CORS Rules num is beyond limit.";
    EntityTooLarge 400: "Your proposed upload exceeds the maximum allowed size.";
    EntityTooSmall 400: "Your proposed upload smaller than the minimum allowed size.";
    FieldItemTooLong 400: "Your name of form field is too long.";
    ImageTooLarge 400: "Maximal size of image supported is.";
    IncompleteBody 400: "You did not provide the number of bytes specified by the Content-Length HTTP header.";
    IncorrectNumberOfFilesInPOSTRequest 400: "POST requires exactly one file upload per request.";
    InlineDataTooLarge 400: "Inline data exceeds the maximum allowed size.";
    InvalidArgument 400: "Invalid Argument. Parameter is invalid.";
    InvalidBucketName 400: "The specified bucket is not valid.";
    InvalidCRC64 400: "The x-oss-hash-crc64ecma you specified does not match what we calculated.";
    InvalidDigest 400: "The Content-MD5 you specified was invalid.";
    InvalidEncryptionAlgorithmError 400: "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.";
    InvalidObjectName 400: "The specified object is not valid.";
    InvalidPart 400: "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.";
    InvalidPartOrder 400: "The list of parts was not in ascending order.";
    InvalidPolicyDocument 400: "Invalid Policy: Invalid JSON. ";
    InvalidRequest 400: "The request is invalid.";
    InvalidTag 400: "The TagKey you have provided is invalid.";
    InvalidTargetBucketForLogging 400: "The target bucket for logging is invalid.";
    InvalidTargetType 400: "The symbolic link's target has an invalid type.";
    InvalidWORMConfiguration 400: "The WORM configuration is invalid.";
    InvalidXMLFormat 400: "The XML you provided was not well-formed.";
    KmsServiceNotEnabled 400: "The KMS service is not enabled.";
    MalformedPOSTRequest 400: "The body of your POST request is not well-formed multipart/form-data.";
    MalformedXML 400: "The XML you provided was not well-formed or did not validate against our published schema.";
    MaxPOSTPreDataLengthExceededError 400 "0006-00000112": "Your POST request fields preceding the upload file were too large.";
    MissingArgument 400: "Missing Some Required Arguments.";
    NotSymlink 400: "The object is not a symbolic link.";
    ObjectAlreadyExists 400: "The object you specified already exists.";
    OperationNotSupported 400: "The operation is not supported for this resource";
    PartNotSequential 400: "The part is not sequential.";
    RepeatedTags 400: "Tag keys must be unique.";
    RequestIsNotMultiPartContent 400: "Bucket POST must be of the enclosure-type multipart/form-data.";
    RequestTimeout 400: "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.";
    TooManyBuckets 400: "You have attempted to create more buckets than allowed.";
    TooManyTags 400: "The object has more tags than allowed.";
    UserKeyMustBeSpecified 400: "The user key must be specified.";

    AccessDenied 403: "AccessDenied";
    AccessForbidden 403: "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by the resource's CORS spec.";
    AccessKeyIdAndSecurityTokenNotMatch 403: "The OSS access key id and security token you provided does not match.";
    BucketDisable 403: "The bucket is disabled.";
    BucketNotBelongTo 403: "The bucket does not belong to you.";
    CnameDenied 403: "The CNAME is denied.";
    ImageDamage 403: "The image file may be damaged.";
    InDebt 403: "The account is in debt.";
    InvalidAccessKeyId 403 "0002-00000902": "The OSS Access Key Id you provided does not exist in our records.";
    InvalidObjectState 403: "The operation is not valid for the object's state.";
    InvalidSecurityToken 403: "The security token you provided is invalid.";
    NonStandardHostForbidden 403: "The host of the request is forbidden.";
    RequestTimeTooSkewed 403 "0002-00000504": "The difference between the request time and the current time is too large.";
    SecondLevelDomainForbidden 403: "The bucket you are attempting to access must be addressed using OSS third level domain.";
    SecurityTokenExpired 403: "The security token you provided has expired.";
    SecurityTokenNotSupported 403: "This interface does not support security token.";
    SignatureDoesNotMatch 403 "0002-00000040": "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    TransferAccelerationDisabled 403: "Transfer acceleration is disabled for the bucket.";
    UserDisable 403 "0003-00000801": "The account is disabled.";
    WORMConfigurationLocked 403: "The WORM configuration is locked.";

    BucketCallbackPolicyNotExist 404: "The bucket's callback policy does not exist.";
    NoSuchBucket 404 "0015-00000101": "The specified bucket does not exist.";
    NoSuchBucketObjectTagging 404: "The bucket or object has no tags.";
    NoSuchBucketPolicy 404: "The specified bucket policy does not exist.";
    NoSuchCORSConfiguration 404: "The CORS Configuration does not exist.";
    NoSuchInventory 404: "No Row found in Inventory Table.";
    NoSuchKey 404 "0026-00000001": "The specified key does not exist.";
    NoSuchLifecycle 404: "No Row found in Lifecycle Table.";
    NoSuchLiveChannel 404: "The specified live channel does not exist.";
    NoSuchReplicationConfiguration 404: "The bucket has no replication configuration.";
    NoSuchReplicationRule 404: "The replication rule does not exist.";
    NoSuchServerSideEncryptionRule 404: "The server side encryption configuration was not found.";
    NoSuchStyle 404: "No Such Image Style.";
    NoSuchTransferAccelerationConfiguration 404: "The bucket has no transfer acceleration configuration.";
    NoSuchUpload 404 "0042-00000002": "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    NoSuchVersion 404: "The specified version does not exist.";
    NoSuchWORMConfiguration 404: "The bucket has no WORM configuration.";
    NoSuchWebsiteConfiguration 404: "The specified bucket does not have a website configuration.";
    SymlinkTargetNotExist 404: "The symlink target object does not exist.";

    MethodNotAllowed 405 "0003-00000016": "The specified method is not allowed against this resource.";

    ArchiveRestoreNotFinished 409 "0016-00000719": "The archive file's restore is not finished.";
    BucketAlreadyExists 409 "0015-00000104": "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    BucketNotEmpty 409 "0015-00000301": "The bucket has objects. Please delete them first.";
    FileAlreadyExists 409 "0026-00000002": "The object you specified already exists and can not be overwritten.";
    FileImmutable 409: "The object you specified is immutable.";
    KeyDisabled 409: "The encryption key is disabled.";
    KeyPendingDeletion 409: "The encryption key is pending deletion.";
    KeyPendingImport 409: "The encryption key is pending import.";
    ObjectNotAppendable 409: "The object is not appendable.";
    PositionNotEqualToLength 409 "0026-00000016": "Position is not equal to file length.";
    RestoreAlreadyInProgress 409: "The restore operation is in progress.";
    WORMConfigurationAlreadyExists 409: "The bucket has a WORM configuration already.";

    MissingContentLength 411: "You must provide the Content-Length HTTP header.";
    PreconditionFailed 412: "At least one of the pre-conditions you specified did not hold.";
    InvalidRange 416: "The requested range cannot be satisfied.";
    MirrorFailed 424: "The origin of the mirror could not be reached.";

    InternalError 500: "Please contact the server administrator, oss@service.aliyun.com.";
    ObjectDamaged 500: "The stored bytes of this object are damaged and are not served.";
    DataFolderUnusable 500: "The store cannot read or write its data folder. Its operator finds the reason on the health page (/_countersign/healthz) and in the log: permissions, a failing disk, or a file system that is read-only or gone.";
    NotImplemented 501: "A header you provided implies functionality that is not implemented.";

    ActiveRequestLimitExceeded 503: "Too many requests are under way.";
    CpuLimitExceeded 503: "The processor limit is exceeded.";
    DownloadTrafficRateLimitExceeded 503: "The download rate limit is exceeded.";
    MetaOperationQpsLimitExceeded 503: "Qps limit for the meta operation is exceeded.";
    ServiceUnavailable 503: "Thread pool is almost full, please retry later.";
    SlowDown 503: "The server is busy with other uploads. Please reduce your request rate.";
    TotalQpsLimitExceeded 503: "The request rate limit is exceeded.";
    UploadTrafficRateLimitExceeded 503: "The upload rate limit is exceeded.";

    OpenFilesExhausted 503: "The store has no file descriptor left. Please try again; its operator may raise the limit of open files (ulimit -n, LimitNOFILE).";
    WritesRefused 503: "The store takes no more writes since its disk failed to keep one. Reads are still answered.";

    InsufficientStorage 507: "The store has no room left for this upload.";
}

impl ErrorCode {
    /// Finds the code by its word, for clients that read an answer.
    ///
    /// ```
    /// use countersign_protocol::ErrorCode;
    ///
    /// let code = ErrorCode::from_word("NoSuchKey").expect("a code of OSS");
    /// assert_eq!((code.status(), code.default_ec()), (404, Some("0026-00000001")));
    /// assert_eq!((code.as_str(), code.default_message()), ("NoSuchKey", "The specified key does not exist."));
    /// assert_eq!(ErrorCode::from_word("nosuchkey"), None);
    /// ```
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_pairs_that_client_suites_compare() {
        for (code, status, ec) in [
            (ErrorCode::NoSuchBucket, 404, Some("0015-00000101")),
            (ErrorCode::InvalidAccessKeyId, 403, Some("0002-00000902")),
            (ErrorCode::NoSuchKey, 404, Some("0026-00000001")),
            (ErrorCode::NoSuchUpload, 404, Some("0042-00000002")),
            (ErrorCode::ArchiveRestoreNotFinished, 409, Some("0016-00000719")),
            (ErrorCode::CallbackFailed, 203, None),
        ] {
            assert_eq!((code.status(), code.default_ec()), (status, ec), "{code}");
        }
    }

    #[test]
    fn codes_have_the_statuses_numbers_and_messages_of_the_vectors() {
        let document: serde_json::Value =
            serde_json::from_str(&crate::test_vectors::read("errors.json")).unwrap();
        let cases = document["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 13);
        for case in cases {
            let name = case["name"].as_str().unwrap();
            let code = ErrorCode::from_word(case["code"].as_str().unwrap()).expect(name);
            assert_eq!((code.as_str(), i64::from(code.status())), (name, case["status"].as_i64().unwrap()));
            assert_eq!(code.default_ec(), case["ec"].as_str(), "{name}");
            let message = case.get("message").map_or(code.default_message(), |text| text.as_str().unwrap());
            assert_eq!(code.default_message(), message, "{name}");
        }
    }

    #[test]
    fn every_code_is_found_by_its_own_word_and_has_a_message() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_word(code.as_str()), Some(*code));
            assert!(!code.default_message().is_empty());
        }
        assert_eq!(ErrorCode::from_word("Nonsense"), None);
    }
}
