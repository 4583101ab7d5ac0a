"""Downloads, against a server on loopback that serves files made here."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import resource
import signal
import struct
import threading

import numpy as np
import pytest

from ranvier.datasets import _download, fashion_mnist, mnist


class Server:
    """Serves `files` (name to bytes) and counts the requests."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.lstrip("/")
                outer.requests.append(name)
                content = outer.files.get(name)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = Server()
    monkeypatch.setattr(_download, "BASE_URL", f"http://127.0.0.1:{server.http.server_address[1]}/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.close()


def make_mnist(monkeypatch) -> tuple[bytes, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        "y_train": rng.integers(0, 10, 6, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (2, 28, 28), dtype=np.uint8),
        "y_test": rng.integers(0, 10, 2, dtype=np.uint8),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = buffer.getvalue()
    monkeypatch.setattr(mnist, "SHA256", hashlib.sha256(content).hexdigest())
    return content, arrays


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


def make_fashion() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    files = {}
    for part, n in (("train", 5), ("t10k", 3)):
        files[f"{part}-images-idx3-ubyte.gz"] = idx(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        files[f"{part}-labels-idx1-ubyte.gz"] = idx(np.arange(n, dtype=np.uint8))
    return files


def test_mnist_is_downloaded_once(server, monkeypatch, tmp_path):
    content, arrays = make_mnist(monkeypatch)
    server.files["mnist.npz"] = content
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        assert np.array_equal(x_train, arrays["x_train"]) and np.array_equal(y_train, arrays["y_train"])
        assert np.array_equal(x_test, arrays["x_test"]) and np.array_equal(y_test, arrays["y_test"])
    assert server.requests == ["mnist.npz"]
    assert (tmp_path / "home" / "datasets" / "mnist.npz").read_bytes() == content


def test_mnist_under_another_name(server, monkeypatch, tmp_path):
    server.files["mnist.npz"], _ = make_mnist(monkeypatch)
    mnist.load_data(path="other.npz")
    assert (tmp_path / "home" / "datasets" / "other.npz").exists()
    for path in ("../other.npz", "", "/tmp/other.npz"):
        with pytest.raises(ValueError, match="plain file name"):
            mnist.load_data(path=path)


def test_corrupted_download_is_refused_and_not_kept(server, monkeypatch, tmp_path):
    content, _ = make_mnist(monkeypatch)
    server.files["mnist.npz"] = content[:-1] + b"x"
    with pytest.raises(ValueError, match="corrupted.*SHA-256.*try again"):
        mnist.load_data()
    assert list((tmp_path / "home" / "datasets").iterdir()) == []
    server.files["mnist.npz"] = content
    mnist.load_data()


def test_corrupted_cache_is_downloaded_again(server, monkeypatch, tmp_path):
    server.files["mnist.npz"], _ = make_mnist(monkeypatch)
    mnist.load_data()
    (tmp_path / "home" / "datasets" / "mnist.npz").write_bytes(b"broken")
    mnist.load_data()
    assert len(server.requests) == 2


def test_no_network_names_the_address_and_the_place(server, tmp_path):
    with pytest.raises(OSError, match=r"mnist\.npz.*404.*put the file at .*home"):
        mnist.load_data()
    server.close()
    with pytest.raises(OSError, match="Could not download"):
        mnist.load_data()


def test_fashion_mnist(server, tmp_path):
    server.files.update(make_fashion())
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
        assert x_train.shape == (5, 28, 28) and x_test.shape == (3, 28, 28)
        assert x_train.dtype == np.uint8 and x_train.flags.writeable
        assert y_train.tolist() == [0, 1, 2, 3, 4] and y_test.tolist() == [0, 1, 2]
    assert len(server.requests) == 4
    assert (tmp_path / "home" / "datasets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],  # truncated
        lambda content: b"<html>not found</html>",
        lambda content: gzip.compress(b"\0\0\x08\x03"),  # header cut off
        lambda content: gzip.compress(gzip.decompress(content)[:-1]),  # a byte less than announced
        lambda content: idx(np.zeros((4, 28, 28), np.uint8)),  # fewer images than labels
        lambda content: gzip.compress(bytes(70 << 20), 1),  # a bomb
    ],
)
def test_damaged_fashion_mnist_is_refused_and_removed(server, tmp_path, damage):
    server.files.update(make_fashion())
    good = server.files["train-images-idx3-ubyte.gz"]
    server.files["train-images-idx3-ubyte.gz"] = damage(good)
    with pytest.raises(ValueError, match="incomplete or corrupted.*try again"):
        fashion_mnist.load_data()
    assert not (tmp_path / "home" / "datasets" / "fashion-mnist" / "train-images-idx3-ubyte.gz").exists()
    server.files["train-images-idx3-ubyte.gz"] = good
    assert fashion_mnist.load_data()[0][0].shape == (5, 28, 28)


def test_a_full_disk(server, monkeypatch, tmp_path):
    server.files["mnist.npz"], _ = make_mnist(monkeypatch)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="File too large.*could not be stored.*mnist.npz'"):
            mnist.load_data()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list((tmp_path / "home" / "datasets").iterdir()) == []


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert _download.cache_dir() == tmp_path / "datasets"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _download.cache_dir() == tmp_path / ".keras" / "datasets"
