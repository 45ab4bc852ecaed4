"""What comes to a test's own handler, and what does not."""

import base64
import threading

import countersign_oss
import pytest
from countersign_oss.exchange import exchange


@pytest.fixture(scope="module")
def instance():
    with countersign_oss.Instance() as instance:
        yield instance


def test_each_answer_of_a_handler_is_at_the_uploader(instance):
    with instance.callbacks() as callbacks:
        answer = countersign_oss.Answer
        said = [None, {"Status": "你好"}, [1], answer(b'{"raw":1}'), answer({}, status=403)]
        callbacks.handle(lambda callback: said[len(callbacks) - 1])
        answers = [callbacks.upload(f"{number}.txt", b"x") for number in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 200, 203]
        texts = [answer.text for answer in answers]
        assert texts[:4] == ['{"Status": "OK"}', '{"Status": "你好"}', "[1]", '{"raw":1}']
        assert (answers[4].code, answers[4].message) == ("CallbackFailed", "Error status : 403.")
        assert [callback.answer.status for callback in callbacks] == [200, 200, 200, 200, 403]


def test_a_callback_says_what_was_stored(instance):
    bucket = instance.bucket("facts")
    bucket.create()
    with instance.callbacks("facts") as callbacks:
        callbacks.sign("user/42/").upload('a "b"\n你好.png', b"12345", "image/png")
        (callback,) = callbacks
        assert (callback.bucket, callback.size, callback.values["mimeType"]) == ("facts", 5, "image/png")
        assert callback.object.startswith("user/42/") and bucket.keys() == [callback.object]
        assert bucket.get(callback.object) == b"12345"


def test_what_an_attacker_adds_to_a_form_is_refused_and_calls_nobody(instance):
    with instance.callbacks() as callbacks:
        other = base64.b64encode(b'{"callbackUrl":"http://127.0.0.1:9/","callbackBody":"x=1"}').decode()
        assert callbacks.upload("a.txt", b"x", fields={"callback": other}).status == 403
        assert callbacks.upload("a.txt", b"x", fields={"key": "elsewhere/a.txt"}).status == 403
        assert len(callbacks) == 0


def test_a_handler_that_raises_declines_and_fails_the_test(instance):
    callbacks = instance.callbacks()

    @callbacks.handle
    def wrong(callback):
        assert callback.size == 6

    answer = callbacks.upload("a.txt", b"five!")
    assert (answer.status, answer.message) == (203, "Error status : 500.")
    callbacks.close()
    with pytest.raises(countersign_oss.UnexpectedCallbacks, match="the handler raised AssertionError") as caught:
        callbacks.check()
    assert isinstance(caught.value.__cause__, AssertionError)


def test_another_number_than_expected_is_listed(instance):
    with pytest.raises(countersign_oss.UnexpectedCallbacks, match=r"1 callbacks came, not 2:\n.*filename=.*a\.txt"):
        with instance.callbacks() as callbacks:
            callbacks.expect(2)
            callbacks.upload("a.txt", b"x")


def test_what_the_store_did_not_sign_is_refused_and_fails_the_test(instance):
    callbacks = instance.callbacks()
    callbacks.upload("a.txt", b"x")
    (genuine,) = callbacks
    headers = {name: genuine.headers[name] for name in ("authorization", "x-oss-pub-key-url", "content-type")}
    forged = genuine.body.replace(b"size=1", b"size=2")
    assert forged != genuine.body
    assert exchange("POST", callbacks.url, headers, forged).status == 403
    assert exchange("POST", callbacks.url + "?x=1", headers, genuine.body).status == 403
    assert exchange("POST", callbacks.url, {}, genuine.body).status == 403
    assert len(callbacks) == 1
    with pytest.raises(countersign_oss.UnexpectedCallbacks, match="not the store's: its signature does not fit"):
        callbacks.check()
    callbacks.close()


def test_a_callback_of_one_recipient_never_comes_to_another(instance):
    first, second = instance.callbacks(), instance.callbacks()
    form = first.sign()
    first.upload("1.txt", b"1")
    second.upload("22.txt", b"22")
    assert ([callback.size for callback in first], [callback.size for callback in second]) == ([1], [2])
    # A callback that is good for one is none for the other: the path is signed.
    headers = {name: first[0].headers[name] for name in ("authorization", "x-oss-pub-key-url")}
    assert exchange("POST", second.url, headers, first[0].body).status == 403
    first.close()
    assert form.upload("late.txt", b"late").message == "Error status : 404."
    assert (len(first), len(second)) == (1, 1)
    assert "late.txt" in instance.late_callbacks()[-1]


def test_many_uploads_at_once_are_each_told_once(instance):
    with instance.callbacks() as callbacks:
        callbacks.handle(lambda callback: {"object": callback.object})
        form = callbacks.sign()
        answers = {}

        def upload(number):
            answers[number] = form.upload(f"{number}.txt", b"x").json()["object"]

        threads = [threading.Thread(target=upload, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(callback.object for callback in callbacks) == sorted(answers.values())
        assert all(name.endswith(f"/{number}.txt") for number, name in answers.items())


def test_a_refused_signature_is_told_with_its_reason(instance):
    with pytest.raises(countersign_oss.Refused, match="the signature was answered 400"):
        instance.sign(bucket="no-such-bucket")
    with pytest.raises(countersign_oss.Refused, match="the signature was answered 400"):
        instance.sign(callback_url="http://192.0.2.1/")
