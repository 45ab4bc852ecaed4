//! The EC numbers (ERR-9 to ERR-33): OSS's finer name for the cause of an error. Clients only display them;
//! a few test suites compare them. A number that belongs to a code as a whole stands in
//! [`crate::error_code`]'s table; here are those that one cause of several carries.

macro_rules! ec_table {
    ($($name:ident $number:literal $meaning:literal;)+) => {
        $(#[doc = $meaning] pub const $name: &str = $number;)+

        /// Every number of this module with its meaning.
        pub const ALL: &[(&str, &str)] = &[$(($number, $meaning)),+];
    };
}

ec_table! {
    URL_KEY_ID_MALFORMED "0002-00000073" "The key id in a V1 URL is malformed.";
    HEADER_V4_KEY_ID_MALFORMED "0002-00000206" "The key id in a V4 header is malformed.";
    HEADER_V4_SIGN_DATE "0002-00000212" "The sign date of a V4 header is malformed or not the credential's day.";
    URL_V4_KEY_ID_MALFORMED "0002-00000222" "The key id in a V4 URL is malformed.";
    URL_V4_SIGN_DATE "0002-00000223" "The sign date of a V4 URL is malformed or not the credential's day.";
    HEADER_V4_REGION "0002-00000226" "The signing region is not this store's.";
    DATE_INVALID "0002-00000503" "A signed request has no valid date.";
    POST_POLICY_MISSING "0002-00000702" "A signed form has no policy.";
    POST_SIGNATURE_MISSING "0002-00000703" "A form with a policy has no signature.";
    POST_SIGNATURE_EMPTY "0002-00000704" "A form's signature is empty.";
    POST_SIGNATURE_MISMATCH "0002-00000705" "A form's signature is not the one of its policy.";
    POST_KEY_ID_MISSING "0002-00000706" "A form with a policy has no access key id.";
    POST_KEY_ID_EMPTY "0002-00000707" "A form's access key id is empty.";
    POST_V4_SIGN_DATE "0002-00000709" "A form's x-oss-date is malformed, on another day than the credential, or too far from now.";
    POST_V4_CREDENTIAL "0002-00000710" "A form's x-oss-credential is malformed.";
    KEY_ID_CHARACTERS "0002-00000901" "The key id holds characters that no key id has.";
    KEY_ID_DISABLED "0002-00000904" "The key is disabled.";
    REQUESTER_PAYS "0003-00000703" "The bucket lets the requester pay, and this one did not agree.";
    POST_FILE_TOO_LARGE "0006-00000003" "The file is larger than 5 GB or than the policy's range.";
    POST_FILE_TOO_SMALL "0006-00000004" "The file is smaller than the policy's range.";
    POST_BODY_TRUNCATED "0006-00000104" "The form's body ends before its closing delimiter, or the file is not last.";
    POST_FILE_MISSING "0006-00000107" "The form has no field named file.";
    POST_PART_DISPOSITION "0006-00000109" "A part of the form has no usable Content-Disposition.";
    POST_NAME_TOO_LONG "0006-00000110" "A field's name is longer than 8 KB.";
    POST_VALUE_TOO_LONG "0006-00000111" "A field's value is longer than 2 MB.";
    POST_HEAD_TOO_LARGE "0006-00000112" "What stands before the file is larger than 8 MB.";
    POLICY_INVALID "0006-00000201" "The policy is invalid in a way that has no number of its own.";
    POLICY_NOT_BASE64 "0006-00000202" "The policy is not base64.";
    POLICY_NOT_JSON "0006-00000204" "The decoded policy is not JSON.";
    POLICY_BLANK "0006-00000205" "The policy is blank.";
    POLICY_CONDITIONS_MISSING "0006-00000207" "The policy has no conditions.";
    POLICY_EXPIRATION_MISSING "0006-00000208" "The policy has no expiration.";
    POLICY_BOTH_MISSING "0006-00000209" "The policy has neither expiration nor conditions.";
    POLICY_EXPIRATION_NOT_TEXT "0006-00000210" "The policy's expiration is not a string.";
    POLICY_EXPIRATION_EMPTY "0006-00000211" "The policy's expiration is empty.";
    POLICY_EXPIRED "0006-00000213" "The policy has expired.";
    POLICY_CONDITIONS_NOT_ARRAY "0006-00000214" "The policy's conditions are not an array.";
    POLICY_CONDITIONS_EMPTY "0006-00000215" "The policy's conditions are an empty array.";
    POLICY_CONDITION_WITHOUT_OPERATOR "0006-00000216" "A condition names no operator.";
    POLICY_OPERATOR_UNKNOWN "0006-00000217" "A condition's operator is unknown.";
    POLICY_CONDITION_SURPLUS "0006-00000218" "A condition has a surplus item.";
    POLICY_RANGE_REVERSED "0006-00000219" "A length range's maximum is below its minimum.";
    POLICY_RANGE_MIN "0006-00000220" "A length range's minimum is not an integer.";
    POLICY_RANGE_MAX "0006-00000221" "A length range's maximum is not an integer.";
    POLICY_CONDITION_SHAPE "0006-00000222" "A condition is neither an object nor an array.";
    POLICY_OPERAND "0006-00000224" "A condition's operand has the wrong type.";
    POLICY_CONDITION_FAILED "0006-00000227" "A condition of the policy is not met.";
    CALLBACK_TOO_LONG "0007-00000001" "The callback parameter is longer than 5 KB.";
    CALLBACK_NOT_BASE64 "0007-00000002" "The callback parameter is not base64.";
    CALLBACK_NOT_JSON "0007-00000003" "The callback parameter is not JSON.";
    CALLBACK_URL "0007-00000004" "A callback URL is invalid.";
    CALLBACK_URL_COUNT "0007-00000005" "More than five callback URLs.";
    CALLBACK_HOST "0007-00000009" "The callback host is invalid.";
    CALLBACK_BODY "0007-00000010" "The callback body is invalid.";
    CALLBACK_BODY_EMPTY "0007-00000011" "The callback body is empty.";
    CALLBACK_BODY_TYPE "0007-00000012" "The callback body type is not a string.";
    CALLBACK_ADDITIONAL_HEADERS "0007-00000026" "The callback's additional headers are invalid.";
    CALLBACK_TWICE "0007-00000027" "The callback came both as header and in the query.";
    CALLBACK_VAR_TOO_LONG "0007-00000101" "callback-var is longer than 5 KB.";
    CALLBACK_VAR_NOT_JSON "0007-00000103" "callback-var is not a JSON object.";
    CALLBACK_TIMEOUT "0007-00000202" "The application did not answer in time.";
    CALLBACK_STATUS "0007-00000203" "The application answered with another status than 200, or could not be reached.";
    CALLBACK_ANSWER_NOT_JSON "0007-00000205" "The application's answer is not JSON.";
    IMAGE_INFO "0007-00000301" "The image's size could not be read.";
    LIFECYCLE_MIXED "0014-00000080" "Lifecycle rules mix CreatedBeforeDate and Days.";
    BUCKET_XML "0015-00000231" "The XML of a bucket's setting is invalid.";
    DELETE_XML "0016-00000608" "The XML of a bulk deletion is invalid.";
    OBJECT_EXISTS_UNVERSIONED "0026-00000201" "The object exists and must not be overwritten.";
    BUCKET_POLICY_SYNTAX "0030-00000005" "A bucket policy's syntax is wrong.";
    COMPLETE_XML "0042-00000205" "The XML that completes a multipart upload is invalid.";
    COMPLETE_EXISTS "0042-00000214" "The target of a completed multipart upload exists.";
    COMPLETE_TWICE "0042-00000216" "Both x-oss-complete-all and a body were sent.";
    UPLOAD_MISSING_ON_COMPLETE "0042-00000104" "The upload to complete does not exist.";
    UPLOAD_MISSING_ON_LIST "0042-00000311" "The upload to list does not exist.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_number_has_four_and_eight_digits_and_occurs_once() {
        let mut seen = HashSet::new();
        for (number, meaning) in ALL {
            let (group, rest) = number.split_once('-').unwrap();
            assert!(group.len() == 4 && rest.len() == 8, "{number}");
            assert!(format!("{group}{rest}").bytes().all(|byte| byte.is_ascii_digit()), "{number}");
            assert!(seen.insert(*number), "{number} twice");
            assert!(meaning.ends_with('.'));
        }
    }
}
