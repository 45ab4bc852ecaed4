//! What a plan comes to in the tables: each table's changes as arrays, one statement for each kind of change that
//! there is. Rows go in the order of bucket and key.
//!
//! A replaced object is deleted and inserted, not "inserted or updated": the latter is spelled differently by members
//! of the family, and the write lock keeps others away in between.

use crate::note::Note;
use crate::pipeline::Pipeline;
use crate::plan::Plan;
use crate::rows::signed;
use crate::session::Statements;
use countersign_store::catalog::Piece;

type Ids = Vec<i64>;
type Texts<'a> = Vec<&'a str>;
type Values<'a> = Vec<&'a [u8]>;
type MaybeTexts<'a> = Vec<Option<&'a str>>;
type MaybeValues<'a> = Vec<Option<&'a [u8]>>;

/// The arrays of one batch.
#[derive(Default)]
pub(crate) struct Writes<'a> {
    removed_buckets: Ids,
    buckets: (Ids, Texts<'a>, Ids, Ids),
    settings: (Ids, Texts<'a>, Values<'a>),
    deleted: (Ids, Values<'a>),
    objects: Objects<'a>,
    described: (Ids, Values<'a>, Values<'a>),
    inline: (Ids, Values<'a>),
    garbage: (Ids, MaybeValues<'a>, Vec<Option<i64>>, Ids),
    outbox: NewEntries<'a>,
    closed: Ids,
    tried: (Ids, Vec<i32>, MaybeTexts<'a>, MaybeValues<'a>),
    notes: Notes<'a>,
}

#[derive(Default)]
struct Objects<'a> {
    bucket: Ids,
    key: Values<'a>,
    sequence: Ids,
    modified: Ids,
    len: Ids,
    md5: MaybeValues<'a>,
    crc: Ids,
    blob: MaybeValues<'a>,
    inline: Vec<Option<i64>>,
    attributes: Values<'a>,
}

#[derive(Default)]
struct NewEntries<'a> {
    id: Ids,
    bucket: Texts<'a>,
    key: Values<'a>,
    created: Ids,
    payload: Values<'a>,
    attempts: Vec<i32>,
    last_error: MaybeTexts<'a>,
}

#[derive(Default)]
struct Notes<'a> {
    forgotten: Ids,
    forgotten_inline: Ids,
    mark: Option<i64>,
    scrubbed: bool,
    damage_gone: Ids,
    damage: (Ids, Texts<'a>, Values<'a>, Ids, Vec<String>, Ids),
    progress: Option<(i64, Option<i64>, Option<i64>)>,
}

impl<'a> Writes<'a> {
    /// Those of a plan and of the notes of the same batch.
    pub(crate) fn new(plan: &'a Plan, notes: &[&'a Note]) -> Writes<'a> {
        let mut writes = Writes::default();
        writes.buckets(plan);
        writes.objects(plan);
        writes.outbox(plan);
        notes.iter().for_each(|note| writes.note(note));
        writes
    }

    fn buckets(&mut self, plan: &'a Plan) {
        self.removed_buckets = plan.removed_buckets.iter().map(|id| signed(*id)).collect();
        for (name, bucket) in
            plan.written_buckets.iter().filter_map(|name| plan.buckets.get_key_value(name.as_str()))
        {
            let id = signed(bucket.id);
            self.buckets.0.push(id);
            self.buckets.1.push(name);
            self.buckets.2.push(bucket.record.created.as_microsecond());
            self.buckets.3.push(signed(bucket.revision));
            for (setting, value) in &bucket.record.settings {
                self.settings.0.push(id);
                self.settings.1.push(setting);
                self.settings.2.push(value);
            }
        }
    }

    fn objects(&mut self, plan: &'a Plan) {
        for ((bucket, key), change) in &plan.objects.keys {
            let (bucket, key) = (signed(*bucket), &key[..]);
            let Some(row) = &change.after else {
                if change.before.is_some() {
                    self.deleted.0.push(bucket);
                    self.deleted.1.push(key);
                }
                continue;
            };
            match &change.before {
                Some((sequence, attributes)) if *sequence == row.sequence => {
                    if *attributes != row.attributes {
                        self.described.0.push(bucket);
                        self.described.1.push(key);
                        self.described.2.push(&row.attributes);
                    }
                    continue;
                }
                Some(_) => {
                    self.deleted.0.push(bucket);
                    self.deleted.1.push(key);
                }
                None => {}
            }
            let objects = &mut self.objects;
            objects.bucket.push(bucket);
            objects.key.push(key);
            objects.sequence.push(signed(row.sequence));
            objects.modified.push(row.modified.as_microsecond());
            objects.len.push(signed(row.len));
            objects.md5.push(row.md5.as_ref().map(|md5| &md5[..]));
            objects.crc.push(row.crc64 as i64);
            objects.blob.push(row.blob.as_ref().map(|blob| &blob.0[..]));
            objects.inline.push(row.inline.map(signed));
            objects.attributes.push(&row.attributes);
        }
        for (id, bytes) in &plan.objects.inline {
            self.inline.0.push(signed(*id));
            self.inline.1.push(bytes);
        }
        for garbage in &plan.objects.garbage {
            self.garbage.0.push(signed(garbage.id));
            self.garbage.1.push(garbage.blob.as_ref().map(|blob| &blob.0[..]));
            self.garbage.2.push(garbage.inline.map(signed));
            self.garbage.3.push(garbage.not_before);
        }
    }

    fn outbox(&mut self, plan: &'a Plan) {
        for (id, entry) in &plan.outbox.new {
            self.outbox.id.push(signed(*id));
            self.outbox.bucket.push(&entry.bucket);
            self.outbox.key.push(&entry.key);
            self.outbox.created.push(entry.created.as_microsecond());
            self.outbox.payload.push(entry.tried.payload.as_ref().unwrap_or(&entry.payload));
            self.outbox.attempts.push(entry.tried.attempts);
            self.outbox.last_error.push(entry.tried.last_error.as_deref());
        }
        self.closed = plan.outbox.closed.iter().map(|id| signed(*id)).collect();
        for (id, tried) in &plan.outbox.tried {
            self.tried.0.push(signed(*id));
            self.tried.1.push(tried.attempts);
            self.tried.2.push(tried.last_error.as_deref());
            self.tried.3.push(tried.payload.as_deref());
        }
    }

    fn note(&mut self, note: &'a Note) {
        let notes = &mut self.notes;
        match note {
            Note::Forget(gone) => {
                for garbage in gone {
                    notes.forgotten.push(signed(garbage.id));
                    if let Piece::Inline(row) = garbage.piece {
                        notes.forgotten_inline.push(signed(row));
                    }
                }
            }
            Note::Mark(mark) => notes.mark = Some(signed(*mark)),
            Note::Scrubbed(note) => {
                notes.scrubbed = true;
                notes.damage_gone.extend(note.whole.iter().map(|content| signed(*content)));
                for damage in &note.damaged {
                    // One that is known already is replaced.
                    notes.damage_gone.push(signed(damage.content));
                    notes.damage.0.push(signed(damage.content));
                    notes.damage.1.push(&damage.bucket);
                    notes.damage.2.push(&damage.key);
                    notes.damage.3.push(signed(damage.sequence));
                    notes.damage.4.push(damage.what.replace('\0', "\u{fffd}"));
                    notes.damage.5.push(damage.found.as_microsecond());
                }
                if let Some(progress) = &note.progress {
                    let time = |time: Option<jiff::Timestamp>| time.map(|time| time.as_microsecond());
                    notes.progress =
                        Some((signed(progress.position), time(progress.began), time(progress.ended)));
                }
            }
        }
    }

    /// Adds the statements for what there is.
    pub(crate) fn add_to<'w>(&'w self, pipeline: &mut Pipeline<'w>, statements: &'w Statements) {
        self.add_buckets(pipeline, statements);
        self.add_objects(pipeline, statements);
        self.add_outbox(pipeline, statements);
        self.notes.add_to(pipeline, statements);
    }

    fn add_buckets<'w>(&'w self, pipeline: &mut Pipeline<'w>, statements: &'w Statements) {
        if !self.removed_buckets.is_empty() {
            pipeline.add(&statements.remove_buckets, vec![&self.removed_buckets]);
            pipeline.add(&statements.remove_settings, vec![&self.removed_buckets]);
        }
        let (id, name, created, revision) = &self.buckets;
        if !id.is_empty() {
            pipeline.add(&statements.insert_buckets, vec![id, name, created, revision]);
        }
        let (bucket, name, value) = &self.settings;
        if !bucket.is_empty() {
            pipeline.add(&statements.insert_settings, vec![bucket, name, value]);
        }
    }

    fn add_objects<'w>(&'w self, pipeline: &mut Pipeline<'w>, statements: &'w Statements) {
        let (bucket, key) = &self.deleted;
        if !key.is_empty() {
            pipeline.add(&statements.delete_objects, vec![bucket, key]);
        }
        let new = &self.objects;
        if !new.key.is_empty() {
            let (place, kept) = ((&new.bucket, &new.key), (&new.blob, &new.inline));
            let (about, digests) = ((&new.sequence, &new.modified, &new.len), (&new.md5, &new.crc));
            pipeline.add(
                &statements.insert_objects,
                vec![
                    place.0,
                    place.1,
                    about.0,
                    about.1,
                    about.2,
                    digests.0,
                    digests.1,
                    kept.0,
                    kept.1,
                    &new.attributes,
                ],
            );
        }
        let (bucket, key, attributes) = &self.described;
        if !key.is_empty() {
            pipeline.add(&statements.update_attributes, vec![bucket, key, attributes]);
        }
        let (id, bytes) = &self.inline;
        if !id.is_empty() {
            pipeline.add(&statements.insert_inline, vec![id, bytes]);
        }
        let (id, blob, inline, not_before) = &self.garbage;
        if !id.is_empty() {
            pipeline.add(&statements.insert_garbage, vec![id, blob, inline, not_before]);
        }
    }

    fn add_outbox<'w>(&'w self, pipeline: &mut Pipeline<'w>, statements: &'w Statements) {
        let new = &self.outbox;
        if !new.id.is_empty() {
            let entry: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
                &new.id,
                &new.bucket,
                &new.key,
                // An entry has its object's number.
                &new.id,
                &new.created,
                &new.payload,
                &new.attempts,
                &new.last_error,
            ];
            pipeline.add(&statements.insert_outbox, entry.to_vec());
        }
        if !self.closed.is_empty() {
            pipeline.add(&statements.close_outbox, vec![&self.closed]);
        }
        let (id, attempts, last_error, payload) = &self.tried;
        if !id.is_empty() {
            pipeline.add(&statements.try_outbox, vec![id, attempts, last_error, payload]);
        }
    }
}

impl Notes<'_> {
    fn add_to<'w>(&'w self, pipeline: &mut Pipeline<'w>, statements: &'w Statements) {
        if !self.forgotten.is_empty() {
            pipeline.add(&statements.forget_inline, vec![&self.forgotten_inline]);
            pipeline.add(&statements.forget_garbage, vec![&self.forgotten]);
        }
        if let Some(mark) = &self.mark {
            pipeline.add(&statements.put_mark, vec![mark]);
        }
        if !self.scrubbed {
            return;
        }
        if !self.damage_gone.is_empty() {
            pipeline.add(&statements.forget_damage, vec![&self.damage_gone]);
        }
        let (content, bucket, key, sequence, what, found) = &self.damage;
        if !content.is_empty() {
            pipeline.add(&statements.insert_damage, vec![content, bucket, key, sequence, what, found]);
        }
        if let Some((position, began, ended)) = &self.progress {
            pipeline.add(&statements.put_progress, vec![position, began, ended]);
        }
        // What was overwritten or deleted since is damaged no longer.
        pipeline.add(&statements.prune_damage, Vec::new());
    }
}
