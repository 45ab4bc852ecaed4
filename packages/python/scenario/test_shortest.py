def test_an_upload_is_confirmed(countersign_callbacks):
    answer = countersign_callbacks.upload("photo.jpg", b"five!")
    assert answer.json() == {"Status": "OK"}
    assert countersign_callbacks[0].size == 5
