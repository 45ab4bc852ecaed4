import oss2


def test_the_application_has_the_say(countersign, countersign_bucket, countersign_callbacks):
    @countersign_callbacks.handle
    def decide(callback):  # called by the store, after its signature was verified
        return {"Status": "OK"} if callback.size <= 10 else {"Status": "Refused", "message": "too long"}

    form = countersign_callbacks.sign("user/42/")
    kept = form.upload("photo.jpg", b"ten bytes.")
    declined = form.upload("film.mp4", b"eleven byte")
    assert (kept.status, kept.json()) == (200, {"Status": "OK"})
    assert (declined.status, declined.json()["message"]) == (200, "too long")
    assert [callback.object for callback in countersign_callbacks] == ["user/42/photo.jpg", "user/42/film.mp4"]

    auth = oss2.Auth(countersign.access_key_id, countersign.access_key_secret)
    bucket = oss2.Bucket(auth, countersign.endpoint, countersign_bucket.name)
    assert bucket.get_object("user/42/photo.jpg").read() == b"ten bytes."
