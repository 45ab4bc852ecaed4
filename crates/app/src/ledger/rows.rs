//! The ledger's table and its statements. Each statement is its own transaction.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::ledger_error::LedgerError;
use super::upload_query::{UPLOADS_BYTES_MAX, UPLOADS_MAX, UploadQuery};
use super::upload_record::UploadRecord;
use crate::{answer::Answer, recorded_request::RecordedRequest, upload_facts::UploadFacts};

/// An answer that accepted stays; one that did not is replaced by what came later.
const RECORD: &str = "
    INSERT INTO upload (identity, key, size, mime_type, height, width, bucket, request_id, time_us,
        method, path, headers, body, answer_status, answer_type, answer_body)
    VALUES (:identity, :key, :size, :mime_type, :height, :width, :bucket, :request_id, :time_us,
        :method, :path, :headers, :body, :answer_status, :answer_type, :answer_body)
    ON CONFLICT (identity) DO UPDATE SET
        calls = calls + 1,
        answer_type = iif(answer_status = 200, answer_type, excluded.answer_type),
        answer_body = iif(answer_status = 200, answer_body, excluded.answer_body),
        answer_status = iif(answer_status = 200, answer_status, excluded.answer_status)
    RETURNING answer_status, answer_type, answer_body";

const ACCEPTED_BEFORE: &str = "
    UPDATE upload SET calls = calls + 1 WHERE identity = :identity AND answer_status = 200
    RETURNING answer_status, answer_type, answer_body";

const COLUMNS: &str = "answer_status, answer_type, key, size, mime_type, height, width, bucket,
    request_id, time_us, calls, method, path, headers, identity";

/// A list of all keys could otherwise be as long as everything that was ever sent. The body is read for what it says of
/// the upload, and dropped.
const WITHOUT_BODIES: &str = "iif(length(body) <= 65536, body, x'') AS body, x'' AS answer_body";

/// Sets a connection up.
pub(super) fn prepare(connection: &Connection) -> Result<(), LedgerError> {
    // The answer to a callback promises that the upload is known: it must survive a power cut.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    Ok(())
}

pub(super) fn record(connection: &Connection, record: &UploadRecord) -> Result<Answer, LedgerError> {
    let headers = serde_json::json!(record.request.header_pairs()).to_string();
    let values = named_params! {
        ":identity": record.identity,
        ":key": record.key,
        ":size": record.size.and_then(|size| i64::try_from(size).ok()),
        ":mime_type": record.mime_type,
        ":height": record.height,
        ":width": record.width,
        ":bucket": record.bucket,
        ":request_id": record.request_id,
        ":time_us": record.time.as_microsecond(),
        ":method": record.request.method.as_str(),
        ":path": record.request.path,
        ":headers": headers,
        ":body": record.request.body.as_ref(),
        ":answer_status": record.answer.status.as_u16(),
        ":answer_type": record.answer.content_type,
        ":answer_body": record.answer.body.as_ref(),
    };
    let mut statement = connection.prepare_cached(RECORD)?;
    let raw = statement.query_row(values, raw_answer)?;
    answer(raw)
}

pub(super) fn accepted_before(
    connection: &Connection,
    identity: &str,
) -> Result<Option<Answer>, LedgerError> {
    let mut statement = connection.prepare_cached(ACCEPTED_BEFORE)?;
    let raw = statement.query_row(named_params! { ":identity": identity }, raw_answer).optional()?;
    raw.map(answer).transpose()
}

pub(super) fn uploads(
    connection: &Connection,
    query: &UploadQuery,
) -> Result<Vec<UploadRecord>, LedgerError> {
    let limit = query.limit.min(UPLOADS_MAX);
    let (filter, bodies) = match query.key {
        Some(_) => ("WHERE key = :key", "body, answer_body"),
        None => ("WHERE :key IS NULL", WITHOUT_BODIES),
    };
    let folder = query.folder.as_str();
    // Everything below `a/` sorts from `a/` up to before `a0`, the sign after the slash.
    let behind = folder.strip_suffix('/').map(|stem| format!("{stem}0"));
    let within = if behind.is_some() {
        "key >= :folder AND key < :behind"
    } else {
        ":folder = '' AND :behind IS NULL"
    };
    // Statements of their own, because "key = ? or ? is null" would never use the index.
    let list =
        format!("SELECT {COLUMNS}, {bodies} FROM upload {filter} AND {within} ORDER BY id DESC LIMIT :limit");
    let mut statement = connection.prepare_cached(&list)?;
    let values = named_params! { ":key": query.key, ":folder": folder, ":behind": behind, ":limit": limit };
    let rows = statement.query_map(values, raw_record)?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    for raw in rows {
        let mut raw = raw?;
        if query.key.is_none() {
            raw.record.request.body = Bytes::new();
        }
        bytes += raw.held_bytes();
        if bytes > UPLOADS_BYTES_MAX && !records.is_empty() {
            break;
        }
        records.push(raw.read()?);
    }
    Ok(records)
}

type RawAnswer = (u16, Option<String>, Vec<u8>);

fn raw_answer(row: &Row<'_>) -> rusqlite::Result<RawAnswer> {
    Ok((row.get("answer_status")?, row.get("answer_type")?, row.get("answer_body")?))
}

fn answer((status, content_type, body): RawAnswer) -> Result<Answer, LedgerError> {
    let status =
        StatusCode::from_u16(status).map_err(|_| LedgerError::Unreadable { column: "answer_status" })?;
    Ok(Answer { status, content_type, body: Bytes::from(body) })
}

/// A row as SQLite holds it, before anything in it is believed.
struct RawRecord {
    record: UploadRecord,
    answer: RawAnswer,
    size: Option<i64>,
    time_us: i64,
    method: String,
    headers: String,
}

fn raw_record(row: &Row<'_>) -> rusqlite::Result<RawRecord> {
    let request = RecordedRequest {
        method: Method::POST,
        path: row.get("path")?,
        headers: HeaderMap::new(),
        body: Bytes::from(row.get::<_, Vec<u8>>("body")?),
    };
    // They have no columns of their own: the body says both.
    let facts = UploadFacts::of(&request.body);
    let record = UploadRecord {
        key: row.get("key")?,
        name: facts.name,
        size: None,
        mime_type: row.get("mime_type")?,
        height: row.get("height")?,
        width: row.get("width")?,
        time: Timestamp::UNIX_EPOCH,
        request_id: row.get("request_id")?,
        proven: facts.request_id.is_some(),
        bucket: row.get("bucket")?,
        calls: row.get("calls")?,
        request,
        answer: Answer { status: StatusCode::OK, content_type: None, body: Bytes::new() },
        identity: row.get("identity")?,
    };
    Ok(RawRecord {
        record,
        answer: raw_answer(row)?,
        size: row.get("size")?,
        time_us: row.get("time_us")?,
        method: row.get("method")?,
        headers: row.get("headers")?,
    })
}

impl RawRecord {
    fn held_bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let (record, (_, answer_type, answer_body)) = (&self.record, &self.answer);
        let short =
            [&record.key, &record.name, &record.mime_type, &record.bucket, &record.request_id, answer_type];
        short.into_iter().map(text).sum::<usize>()
            + self.headers.len()
            + record.request.path.len()
            + record.request.body.len()
            + answer_body.len()
    }

    fn read(self) -> Result<UploadRecord, LedgerError> {
        let unreadable = |column| LedgerError::Unreadable { column };
        let mut record = self.record;
        record.size = self.size.and_then(|size| u64::try_from(size).ok());
        record.time = Timestamp::from_microsecond(self.time_us).map_err(|_| unreadable("time_us"))?;
        record.request.method =
            Method::from_bytes(self.method.as_bytes()).map_err(|_| unreadable("method"))?;
        record.request.headers = headers(&self.headers).ok_or_else(|| unreadable("headers"))?;
        record.answer = answer(self.answer)?;
        Ok(record)
    }
}

fn headers(text: &str) -> Option<HeaderMap> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    Some(headers)
}
