"""The official Python SDK, oss2, unchanged but for its endpoint: put, get, list, delete and callback, V1 and V4."""

import base64
import json
import uuid

import oss2
import pytest
from conftest import KEY_ID, KEY_SECRET


@pytest.fixture(params=["v1", "v4"])
def bucket(request, store):
    version = {"v1": oss2.AUTH_VERSION_1, "v4": oss2.AUTH_VERSION_4}[request.param]
    auth = oss2.make_auth(KEY_ID, KEY_SECRET, version)
    made = oss2.Bucket(auth, store, f"py-{uuid.uuid4().hex[:12]}", region="cn-hangzhou")
    made.create_bucket()
    yield made
    for key in [found.key for found in oss2.ObjectIterator(made)]:
        made.delete_object(key)
    made.delete_bucket()


def test_puts_and_gets_with_metadata_and_checksums(bucket):
    put = bucket.put_object("目录/a b+c.txt", "hello world", headers={"x-oss-meta-owner": "alice", "Content-Type": "text/plain"})
    assert put.status == 200
    assert put.etag == "5EB63BBBE01EEED093CB22BB8F5ACDC3"
    assert put.crc == 5981764153023615706
    got = bucket.get_object("目录/a b+c.txt")
    assert got.read() == b"hello world"
    assert got.headers["x-oss-meta-owner"] == "alice"
    head = bucket.head_object("目录/a b+c.txt")
    assert (head.content_length, head.content_type, head.object_type) == (11, "text/plain", "Normal")
    assert bucket.object_exists("目录/a b+c.txt")
    assert not bucket.object_exists("nothing")
    assert bucket.get_object("目录/a b+c.txt", byte_range=(0, 4)).read() == b"hello"


def test_puts_in_chunks_without_a_length(bucket):
    pieces = [bytes([number]) * 70_000 for number in range(5)]
    bucket.put_object("chunked", iter(pieces))
    assert bucket.get_object("chunked").read() == b"".join(pieces)


def test_lists_with_prefixes_and_pages(bucket):
    keys = [f"a/{number:02}.txt" for number in range(7)] + ["b/x", "c & d", "e?f#g%h", "照片/1"]
    for key in keys:
        bucket.put_object(key, key)
    assert [found.key for found in oss2.ObjectIterator(bucket, max_keys=3)] == sorted(keys, key=str.encode)
    assert [found.key for found in oss2.ObjectIteratorV2(bucket, max_keys=2)] == sorted(keys, key=str.encode)
    top = list(oss2.ObjectIterator(bucket, delimiter="/"))
    assert [found.key for found in top if found.is_prefix()] == ["a/", "b/", "照片/"]
    assert [found.key for found in top if not found.is_prefix()] == ["c & d", "e?f#g%h"]
    assert [found.size for found in oss2.ObjectIterator(bucket, prefix="b/")] == [3]


def test_deletes_one_and_many(bucket):
    for key in ["one", "two", "照片", "a&b<c>"]:
        bucket.put_object(key, key)
    assert bucket.delete_object("one").status == 204
    assert bucket.delete_object("one").status == 204
    deleted = bucket.batch_delete_objects(["two", "照片", "a&b<c>", "never"])
    assert sorted(deleted.deleted_keys) == sorted(["two", "照片", "a&b<c>", "never"])
    assert list(oss2.ObjectIterator(bucket)) == []


def test_names_errors_as_oss_does(bucket, store):
    with pytest.raises(oss2.exceptions.NoSuchKey) as missing:
        bucket.get_object("missing")
    assert missing.value.details["EC"] == "0026-00000001"
    with pytest.raises(oss2.exceptions.NotFound):
        bucket.head_object("missing")
    # An unknown key is refused where there is a bucket; where there is none to read, that is what is said.
    unknown_key = oss2.make_auth("nobody", "secret", oss2.AUTH_VERSION_1)
    for name, expected in [
        (bucket.bucket_name, (403, "InvalidAccessKeyId", "0002-00000902")),
        ("no-such-bucket", (404, "NoSuchBucket", "0015-00000101")),
    ]:
        with pytest.raises(oss2.exceptions.ServerError) as unknown:
            oss2.Bucket(unknown_key, store, name).get_object("a")
        assert (unknown.value.status, unknown.value.code, unknown.value.details["EC"]) == expected
    wrong = oss2.Bucket(oss2.make_auth(KEY_ID, "wrong", oss2.AUTH_VERSION_1), store, bucket.bucket_name)
    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch):
        wrong.put_object("a", "a")


def test_signs_urls_that_work_and_expire(bucket):
    bucket.put_object("u r l.txt", "by url")
    got = oss2.Session().do_request(oss2.http.Request("GET", bucket.sign_url("GET", "u r l.txt", 60)), timeout=10)
    assert got.read() == b"by url"
    put = bucket.put_object_with_url(bucket.sign_url("PUT", "put.txt", 60), "put by url")
    assert put.status == 200
    assert bucket.get_object("put.txt").read() == b"put by url"


def test_configures_cors_lifecycle_and_acl(bucket):
    rule = oss2.models.CorsRule(allowed_origins=["http://a.example"], allowed_methods=["POST", "GET"], allowed_headers=["*"], expose_headers=["ETag"], max_age_seconds=60)
    bucket.put_bucket_cors(oss2.models.BucketCors([rule]))
    assert bucket.get_bucket_cors().rules[0].allowed_origins == ["http://a.example"]
    bucket.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        bucket.get_bucket_cors()
    day = oss2.models.LifecycleRule("day", "tmp/", expiration=oss2.models.LifecycleExpiration(days=1))
    bucket.put_bucket_lifecycle(oss2.models.BucketLifecycle([day]))
    read = bucket.get_bucket_lifecycle().rules[0]
    assert (read.id, read.prefix, read.expiration.days) == ("day", "tmp/", 1)
    bucket.delete_bucket_lifecycle()
    with pytest.raises(oss2.exceptions.NoSuchLifecycle):
        bucket.get_bucket_lifecycle()
    bucket.put_bucket_acl("public-read")
    assert bucket.get_bucket_acl().acl == "public-read"
    info = bucket.get_bucket_info()
    assert (info.name, info.acl.grant) == (bucket.bucket_name, "public-read")
    assert bucket.get_bucket_location().location.startswith("oss-")


def test_lists_buckets(bucket, store):
    service = oss2.Service(oss2.make_auth(KEY_ID, KEY_SECRET), store)
    assert bucket.bucket_name in [found.name for found in oss2.BucketIterator(service)]


def test_calls_back_and_relays_the_answer(bucket, application):
    url, received = application
    encode = lambda value: base64.b64encode(json.dumps(value).encode()).decode()
    callback = {"callbackUrl": f"{url}/done", "callbackBody": "object=${object}&size=${size}&who=${x:who}", "callbackBodyType": "application/x-www-form-urlencoded"}
    headers = {"x-oss-callback": encode(callback), "x-oss-callback-var": encode({"x:who": "bob"})}
    answer = bucket.put_object("called.txt", "hello", headers=headers)
    assert (answer.status, json.loads(answer.resp.read())["from"]) == (200, "application")
    assert received[0][2] == b"object=called.txt&size=5&who=bob"
    callback["callbackUrl"] = "http://no-such-host.invalid/"
    answer = bucket.put_object("kept.txt", "hello", headers={"x-oss-callback": encode(callback)})
    assert answer.status == 203
    assert b"<Code>CallbackFailed</Code>" in answer.resp.read()
    assert bucket.get_object("kept.txt").read() == b"hello"
