//! How single values are written in headers, queries and XML: dates, ranges, entity tags, percent-encoding.

pub mod byte_range;
pub mod content_disposition;
pub mod etag;
pub mod http_date;
pub mod iso_time;
pub mod url_encoding;
