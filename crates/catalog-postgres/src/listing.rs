//! Lists one page of objects. Without a delimiter it is a range of the index; with one the database itself walks the
//! index key by key and seeks past each common prefix, so that a page takes a few statements and its cost grows with
//! the page, not with the bucket.

use crate::readers::Readers;
use crate::rows::{ObjectRow, bytes, limit, object_columns, signed};
use bytes::Bytes;
use countersign_store::catalog::CatalogError;
use countersign_store::{Entry, ListPage, ListQuery};
use tokio_postgres::Row;

/// So many rows are read by one statement: the bytes of a page are bounded, and a row may have many.
const ROWS_READ: usize = 256;

macro_rules! in_bucket_from {
    ($from:literal) => {
        concat!("FROM object o WHERE o.bucket = $1 AND o.key >= ", $from)
    };
}

/// The range from $2 on: $3 rows. The second ends before $4.
const RANGE: [&str; 2] = [
    concat!("SELECT o.key, 0, ", object_columns!(), " ", in_bucket_from!("$2"), " ORDER BY o.key LIMIT $3"),
    concat!(
        "SELECT o.key, 0, ",
        object_columns!(),
        " ",
        in_bucket_from!("$2"),
        " AND o.key < $4 ORDER BY o.key LIMIT $3"
    ),
];

/// The walk from $2 on: $3 rows, each with the place of the delimiter $4 behind the first $5 bytes of the key, 0 where
/// there is none. $6 is what follows the delimiter in byte order: the next key of a common prefix is sought from what
/// comes before the delimiter, and $6. The second ends before $7.
macro_rules! walk {
    ($bound:literal) => {
        concat!(
            "WITH RECURSIVE walk(step, key, at, seq, modified, len, md5, crc, blob, inline, attributes) AS (
                (SELECT 1::int8, o.key, position($4 in substring(o.key from $5 + 1)), ", object_columns!(), " ",
            in_bucket_from!("$2"), $bound, " ORDER BY o.key LIMIT 1)
                UNION ALL
                SELECT w.step + 1, next.* FROM walk w CROSS JOIN LATERAL (
                    SELECT o.key, position($4 in substring(o.key from $5 + 1)), ", object_columns!(), " ",
            in_bucket_from!(
                "CASE WHEN w.at > 0 THEN substring(w.key from 1 for $5 + w.at - 1) || $6 ELSE w.key || '\\x00'::bytea END"
            ), $bound, " ORDER BY o.key LIMIT 1) next
                WHERE w.step < $3
            )
            SELECT key, at, seq, modified, len, md5, crc, blob, inline, attributes FROM walk ORDER BY step"
        )
    };
}
const WALK: [&str; 2] = [walk!(""), walk!(" AND o.key < $7")];

/// One page.
pub(crate) async fn page(
    readers: &Readers,
    bucket: u64,
    query: &ListQuery,
) -> Result<ListPage, CatalogError> {
    let mut page = Page { query, built: ListPage::default(), bytes: 0, ended: false };
    let mut from = query.first_key().filter(|_| query.limit > 0);
    while let Some(seek) = from.take().filter(|_| !page.ended) {
        // One more than the page takes shows whether more follows.
        let wanted = (query.limit - page.built.entries.len()).saturating_add(1).min(ROWS_READ);
        let wanted = if all_ff(&query.delimiter) { 1 } else { wanted };
        let rows = read(readers, bucket, query, &seek, wanted).await?;
        for row in &rows {
            let key = bytes(row, 0)?;
            from = page.add(row, key)?;
            if page.ended {
                break;
            }
        }
        if rows.len() < wanted {
            break;
        }
    }
    Ok(page.built)
}

/// A page that is being built.
struct Page<'a> {
    query: &'a ListQuery,
    built: ListPage,
    bytes: usize,
    ended: bool,
}

impl Page<'_> {
    /// Adds a row, or ends the page before it; answers where the walk goes on behind it.
    fn add(&mut self, row: &Row, key: Bytes) -> Result<Option<Vec<u8>>, CatalogError> {
        if self.built.entries.len() == self.query.limit || self.bytes > ListPage::BYTES_MAX {
            self.built.next = self.built.entries.last().map(|entry| entry.name().clone());
            self.ended = true;
            return Ok(None);
        }
        let (entry, next) = match self.query.common_prefix(&key) {
            Some(common) => (Entry::CommonPrefix(key.slice(..common.len())), ListQuery::above(common)),
            None => {
                let mut next = key.to_vec();
                next.push(0);
                (Entry::Object(ObjectRow::read(row, 2)?.record(key)), Some(next))
            }
        };
        self.bytes += entry.held_bytes();
        self.built.entries.push(entry);
        Ok(next)
    }
}

/// Whether nothing of the delimiter's length follows it in byte order. Then each statement
/// reads one row, and the next one seeks past its common prefix. An empty delimiter is none.
fn all_ff(delimiter: &[u8]) -> bool {
    !delimiter.is_empty() && delimiter.iter().all(|byte| *byte == 0xff)
}

async fn read(
    readers: &Readers,
    bucket: u64,
    query: &ListQuery,
    from: &[u8],
    wanted: usize,
) -> Result<Vec<Row>, CatalogError> {
    let (bucket, end) = (signed(bucket), ListQuery::above(&query.prefix));
    let rows = limit(wanted);
    if query.delimiter.is_empty() {
        return match &end {
            None => readers.rows(RANGE[0], &[&bucket, &from, &rows]).await,
            Some(end) => readers.rows(RANGE[1], &[&bucket, &from, &rows, end]).await,
        };
    }
    let delimiter = &query.delimiter[..];
    let above = ListQuery::above(delimiter).unwrap_or_default();
    let prefix = i32::try_from(query.prefix.len()).unwrap_or(i32::MAX);
    match &end {
        None => readers.rows(WALK[0], &[&bucket, &from, &rows, &delimiter, &prefix, &above]).await,
        Some(end) => readers.rows(WALK[1], &[&bucket, &from, &rows, &delimiter, &prefix, &above, end]).await,
    }
}

#[cfg(test)]
mod tests {
    //! Whether a page reads what it answers and no more.

    use super::*;
    use crate::location::Location;
    use crate::opening::migrate;
    use crate::session::Connecting;
    use countersign_store::Clock;
    use countersign_testkit::PostgresServer;
    use tokio_postgres::types::ToSql;

    /// A few objects, and 20,000 below one common prefix.
    const FILL: &str = "INSERT INTO object(bucket, key, seq, modified, len, crc, attributes)
        SELECT 1, convert_to(CASE WHEN n % 2000 = 0 THEN 'few' || n ELSE 'many/' || n END, 'UTF8'), n, 0, 0, 0, ''
        FROM generate_series(1, 20000) n";

    async fn plan(
        client: &tokio_postgres::Client,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> String {
        let explained = format!("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {statement}");
        let rows = client.query(&explained, values).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
    }

    #[tokio::test]
    async fn a_page_passes_over_what_is_below_a_common_prefix_without_reading_it() {
        let server = PostgresServer::of_this_run();
        let database = server.new_database();
        let location: Location = server.url_by(server.port(), &database).parse().unwrap();
        migrate(&location, None, &Clock::system()).await.unwrap();
        server.sql(&database, FILL).unwrap();
        let client = Connecting::new(&location, None, &Clock::system()).unwrap().connect().await.unwrap();
        let (bucket, from, rows, delimiter, prefix, above) =
            (1i64, &b""[..], 100i64, &b"/"[..], 0i32, &b"0"[..]);
        let walk: [&(dyn ToSql + Sync); 6] = [&bucket, &from, &rows, &delimiter, &prefix, &above];
        let range: [&(dyn ToSql + Sync); 3] = [&bucket, &from, &rows];
        for (statement, values) in [(WALK[0], &walk[..]), (RANGE[0], &range[..])] {
            let plan = plan(&client, statement, values).await;
            assert!(plan.contains("Index Scan using object_pkey"), "{plan}");
            assert!(!plan.contains("Seq Scan") && !plan.contains("Rows Removed"), "{plan}");
        }
        let walked = client.query(WALK[0], &walk).await.unwrap();
        assert_eq!(walked.len(), 11, "ten objects and one common prefix");
    }
}
