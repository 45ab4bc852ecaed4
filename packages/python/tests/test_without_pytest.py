"""The library in a plain unittest: run by itself too, with the oldest Python that is promised."""

import unittest

import countersign_oss


class Uploads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.instance = countersign_oss.Instance().start()
        cls.addClassCleanup(cls.instance.stop)

    def test_the_application_has_the_say(self):
        with self.instance.callbacks() as callbacks:
            callbacks.handle(lambda callback: {"Status": "OK" if callback.size <= 10 else "Refused"})
            self.assertEqual(callbacks.upload("photo.jpg", b"ten bytes.").json(), {"Status": "OK"})
            self.assertEqual(callbacks.upload("film.mp4", b"eleven byte").json(), {"Status": "Refused"})
            self.assertEqual([callback.size for callback in callbacks], [10, 11])


if __name__ == "__main__":
    unittest.main()
