//! A client of the soak with keys of its own: it does every operation on them, and each answer must agree with the
//! record.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;

use super::callers::Caller;
use super::chance::Chance;
use super::record::{BUCKETS, Held, ObjectName, Record};
use super::soak_options::SoakOptions;
use super::tally::Tally;
use crate::wire::{Answer, Exchange};
use crate::{Form, PolicyText, StoreClient};

/// How many keys a worker overwrites and deletes again and again.
const KEYS: u64 = 60;

/// One of the clients.
pub(crate) struct Worker {
    place: u64,
    chance: Chance,
    number: u64,
    bytes_max: u64,
    policy: PolicyText,
    record: Arc<Record>,
    tally: Arc<Tally>,
    caller: Arc<Caller>,
}

/// The store was killed, or does not answer any more.
struct Gone(std::io::Error);

impl From<std::io::Error> for Gone {
    fn from(reason: std::io::Error) -> Self {
        Gone(reason)
    }
}

impl Worker {
    pub(crate) fn new(
        place: u64,
        options: &SoakOptions,
        record: &Arc<Record>,
        tally: &Arc<Tally>,
        caller: &Arc<Caller>,
    ) -> Self {
        Self {
            place,
            chance: Chance::new(options.seed ^ (place + 1) << 32),
            number: place << 40,
            bytes_max: options.bytes_max,
            policy: PolicyText::of(
                r#"{"expiration":"2099-01-01T00:00:00.000Z","conditions":[["content-length-range",0,1048576000]]}"#,
            ),
            record: Arc::clone(record),
            tally: Arc::clone(tally),
            caller: Arc::clone(caller),
        }
    }

    /// Works until the store is being ended: while it lives, every request gets its answer.
    pub(crate) fn begin(mut self, store: &str, stop: &Arc<AtomicBool>) -> JoinHandle<Self> {
        let (store, stop) = (store.to_owned(), Arc::clone(stop));
        std::thread::spawn(move || {
            let client = StoreClient::at(&store);
            while !stop.load(Ordering::SeqCst) {
                if let Err(Gone(reason)) = self.step(&client, &store) {
                    std::thread::sleep(Duration::from_millis(500));
                    assert!(stop.load(Ordering::SeqCst), "no answer from a store that lives: {reason}");
                }
            }
            self
        })
    }

    fn step(&mut self, client: &StoreClient, store: &str) -> Result<(), Gone> {
        match self.chance.between(0, 100) {
            0..=31 => self.post(store, false),
            32..=41 => self.post(store, true),
            42..=56 => self.put(client),
            57..=64 => self.delete(client),
            65..=67 => self.delete_several(client),
            68..=83 => self.get(client),
            84..=88 => self.list(client),
            89..=91 => self.expiring(client),
            92..=94 => self.abandon(store),
            95..=96 => self.hang_up(store),
            _ => self.forge(client, store),
        }
    }

    fn bucket(&self) -> &'static str {
        BUCKETS[usize::try_from(self.place % 2).unwrap_or_default()]
    }

    fn prefix(&self) -> String {
        format!("w{}/", self.place)
    }

    fn any_place(&mut self) -> ObjectName {
        (self.bucket(), format!("{}{:02}", self.prefix(), self.chance.between(0, KEYS)))
    }

    /// New bytes: mostly small, some around the limits of what is kept inline, a few large.
    fn fresh(&mut self) -> Held {
        self.number += 1;
        let length = match self.chance.between(0, 40) {
            0 => self.chance.between(self.bytes_max / 2, self.bytes_max),
            1..=3 => self.chance.between(60_000, 300_000),
            4..=6 => self.chance.between(65_000, 66_000),
            7 => 0,
            _ => self.chance.between(1, 8_000),
        };
        Held::Object { number: self.number, length }
    }

    fn post(&mut self, store: &str, calls_back: bool) -> Result<(), Gone> {
        let held = self.fresh();
        let (place, callback) = match calls_back {
            true => {
                let key = format!("called/{}/{:06}", self.place, self.number & 0xff_ffff);
                self.record.callback_asked(&key);
                ((self.bucket(), key), Some(self.caller.choose(&mut self.chance)))
            }
            false => (self.any_place(), None),
        };
        self.record.begun(&place, held);
        let mut form = Form::signed(&place.1, &self.policy);
        if let Some((parameter, _)) = &callback {
            form = form.field("callback", parameter);
        }
        let form = form.file("x", "a/b", held.bytes().unwrap_or_default());
        let answer = form.post(place.0).try_send(store)?;
        let expected = callback.map_or(200, |(_, status)| status);
        if answer.status == expected {
            self.acknowledged(&place, held);
            self.tally.count(match (calls_back, expected) {
                (false, _) => "posts",
                (true, 200) => "posts with a callback that was answered",
                (true, _) => "posts with a callback that failed",
            });
            if calls_back && expected == 200 {
                self.record.callback_answered(&place.1);
            }
            return Ok(());
        }
        self.refused_while_stopping(&answer, "a post")
    }

    fn put(&mut self, client: &StoreClient) -> Result<(), Gone> {
        let (place, held) = (self.any_place(), self.fresh());
        self.record.begun(&place, held);
        let body = held.bytes().unwrap_or_default();
        let answer = client.try_request("PUT", place.0, &place.1, "", &[], body)?;
        if answer.status == 200 {
            self.acknowledged(&place, held);
            self.tally.count("puts");
            return Ok(());
        }
        self.refused_while_stopping(&answer, "a put")
    }

    fn delete(&mut self, client: &StoreClient) -> Result<(), Gone> {
        let place = self.any_place();
        self.record.begun(&place, Held::Absent);
        let answer = client.try_request("DELETE", place.0, &place.1, "", &[], "")?;
        if answer.status == 204 {
            self.acknowledged(&place, Held::Absent);
            self.tally.count("deletes");
            return Ok(());
        }
        self.refused_while_stopping(&answer, "a delete")
    }

    /// Some of the keys that are overwritten, and old ones that called back, so that their number stays small.
    fn delete_several(&mut self, client: &StoreClient) -> Result<(), Gone> {
        let mut places: Vec<ObjectName> = (0..3).map(|_| self.any_place()).collect();
        let called = self.record.places(self.bucket(), &format!("called/{}/", self.place));
        places.extend(called.into_iter().take(10));
        let mut hung = self.record.places(self.bucket(), &format!("hung/{}/", self.place));
        // Whether the others are stored shows at the next start.
        hung.retain(|place| self.record.possible(place).len() == 1);
        places.extend(hung.into_iter().take(10));
        places.sort();
        places.dedup();
        let objects: String =
            places.iter().map(|(_, key)| format!("<Object><Key>{key}</Key></Object>")).collect();
        let body = format!("<Delete><Quiet>true</Quiet>{objects}</Delete>");
        places.iter().for_each(|place| self.record.begun(place, Held::Absent));
        let digest = STANDARD.encode(md5::Md5::digest(&body));
        let answer =
            client.try_request("POST", self.bucket(), "", "delete", &[("Content-MD5", &digest)], body)?;
        if answer.status == 200 {
            places.iter().for_each(|place| self.acknowledged(place, Held::Absent));
            self.tally.count("multi-deletes");
            return Ok(());
        }
        self.refused_while_stopping(&answer, "a multi-delete")
    }

    fn acknowledged(&self, place: &ObjectName, held: Held) {
        self.record.settled(place, held);
        self.tally.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// The whole object, or a range of it.
    fn get(&mut self, client: &StoreClient) -> Result<(), Gone> {
        let place = self.any_place();
        let possible = self.record.possible(&place);
        let (first, last) = (self.chance.between(0, 4_000), self.chance.between(4_000, 9_000));
        let range = format!("bytes={first}-{last}");
        let ranged = self.chance.one_in(3);
        let headers: &[(&str, &str)] = if ranged { &[("Range", &range)] } else { &[] };
        let answer = client.try_request("GET", place.0, &place.1, "", headers, "")?;
        if answer.status == 503 {
            return self.refused_while_stopping(&answer, "a get");
        }
        let fits = possible.iter().any(|held| match held.bytes() {
            None => answer.status == 404,
            Some(bytes) => match bytes.get(first as usize..=last as usize) {
                Some(part) if ranged => answer.status == 206 && answer.body == part,
                _ => answer.status == 200 && answer.body == bytes,
            },
        });
        assert!(
            fits,
            "{place:?}: {} with {} bytes, but possible are {possible:?}",
            answer.status,
            answer.body.len()
        );
        self.tally.count(if ranged { "gets of a range" } else { "gets" });
        Ok(())
    }

    /// Nobody else writes below this prefix, so that a listing is the record.
    fn list(&mut self, client: &StoreClient) -> Result<(), Gone> {
        let prefix = self.prefix();
        let answer = client.try_request(
            "GET",
            self.bucket(),
            "",
            &format!("prefix={}&max-keys=1000", prefix.replace('/', "%2F")),
            &[],
            "",
        )?;
        if answer.status != 200 {
            return self.refused_while_stopping(&answer, "a listing");
        }
        let text = answer.text();
        let listed: BTreeSet<&str> =
            text.split("<Key>").skip(1).filter_map(|item| item.split("</Key>").next()).collect();
        for place in self.record.places(self.bucket(), &prefix) {
            let possible = self.record.possible(&place);
            let there = listed.contains(place.1.as_str());
            let fits = possible.iter().any(|held| (*held == Held::Absent) != there);
            assert!(
                fits,
                "{place:?} is {}listed, but possible are {possible:?}",
                if there { "" } else { "not " }
            );
        }
        self.tally.count("listings");
        Ok(())
    }

    /// What a lifecycle rule may delete at any moment; it is never half.
    fn expiring(&mut self, client: &StoreClient) -> Result<(), Gone> {
        let held = self.fresh();
        let place = (BUCKETS[0], format!("expire/{}/{}", self.place, self.number % 50));
        self.record.begun(&place, held);
        let body = held.bytes().unwrap_or_default();
        let answer = client.try_request("PUT", place.0, &place.1, "", &[], body)?;
        if answer.status == 200 {
            self.tally.count("puts of what expires");
            return Ok(());
        }
        self.refused_while_stopping(&answer, "a put")
    }

    /// An upload that breaks off before its end: it never happened.
    fn abandon(&mut self, store: &str) -> Result<(), Gone> {
        let (place, held) = (self.any_place(), self.fresh());
        let form = Form::signed(&place.1, &self.policy).file("x", "a/b", held.bytes().unwrap_or_default());
        let exchange = form.post(place.0);
        let sent = exchange.body.len() - usize::try_from(self.chance.between(20, 400)).unwrap_or(20);
        exchange.send_part(store, sent)?;
        self.tally.count("uploads broken off");
        Ok(())
    }

    /// A whole upload whose sender does not wait for the answer. Its key is used once: what follows on the
    /// same key could be overtaken by it.
    fn hang_up(&mut self, store: &str) -> Result<(), Gone> {
        let held = self.fresh();
        let place = (self.bucket(), format!("hung/{}/{:06}", self.place, self.number & 0xff_ffff));
        self.record.begun(&place, held);
        let exchange = Form::signed(&place.1, &self.policy)
            .file("x", "a/b", held.bytes().unwrap_or_default())
            .post(place.0);
        let whole = exchange.body.len();
        exchange.send_part(store, whole)?;
        self.tally.count("uploads hung up on");
        Ok(())
    }

    /// Wrong signatures, by form and by header: refused, never stored.
    fn forge(&mut self, client: &StoreClient, store: &str) -> Result<(), Gone> {
        let key = format!("forged/{}", self.number);
        let form = Form::signed(&key, &self.policy)
            .without("signature")
            .field("signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let answer = form.file("x", "a/b", vec![b'x'; 1_000]).post(self.bucket()).try_send(store)?;
        assert!(matches!(answer.status, 403 | 503), "a forged form: {}", answer.text());
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let put =
            Exchange::new("PUT", &format!("/{}/{key}", self.bucket())).host(store).header("Date", &date);
        let put = put.header("Authorization", &format!("OSS {}:AAAA", crate::ACCESS_KEY_ID)).body("forged");
        let answer = put.try_send(store)?;
        assert!(matches!(answer.status, 403 | 503), "a forged put: {}", answer.text());
        let answer = client.try_request("GET", self.bucket(), &key, "", &[], "")?;
        assert!(matches!(answer.status, 404 | 503), "a forged object is there: {}", answer.text());
        self.tally.count("forgeries refused");
        Ok(())
    }

    /// A store that ends may refuse; nothing else is an excuse.
    fn refused_while_stopping(&self, answer: &Answer, what: &str) -> Result<(), Gone> {
        assert_eq!(answer.status, 503, "{what}: {}", answer.text());
        self.tally.count("answers 503");
        Ok(())
    }
}
