"""Tests of Argon2id beyond the contract of `Passwords`: parameters, timing, and memory."""

from threading import Barrier, Thread
from time import perf_counter

from adapters.argon2 import Argon2Passwords


def test_a_hash_names_argon2id_and_its_parameters() -> None:
    hashed = Argon2Passwords().hash("correct horse battery")

    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_unknown_user_takes_as_long_as_a_wrong_password() -> None:
    passwords = Argon2Passwords()
    hashed = passwords.hash("correct horse battery")

    def fastest(stored: str | None) -> float:
        taken = []
        for _ in range(7):
            begun = perf_counter()
            passwords.matches("something else", stored)
            taken.append(perf_counter() - begun)
        return min(taken)

    assert fastest(None) > fastest(hashed) / 3


def test_a_hash_with_weaker_parameters_matches_and_needs_a_rehash() -> None:
    weaker = Argon2Passwords(memory_kib=8 * 1024).hash("correct horse battery")
    passwords = Argon2Passwords()

    assert passwords.needs_rehash(weaker)
    assert passwords.matches("correct horse battery", weaker)


def test_an_invalid_hash_matches_nothing_and_needs_a_rehash() -> None:
    passwords = Argon2Passwords()

    assert not passwords.matches("correct horse battery", "no hash at all")
    assert passwords.needs_rehash("no hash at all")


def test_a_password_may_contain_lone_surrogates() -> None:
    passwords = Argon2Passwords()

    assert passwords.matches("\ud800 correct horse", passwords.hash("\ud800 correct horse"))


def test_logins_beyond_the_limit_of_concurrent_hashes_wait_and_succeed() -> None:
    passwords = Argon2Passwords(at_once=2)
    hashed = passwords.hash("correct horse battery")
    together = Barrier(8)
    matched = []

    def log_in() -> None:
        together.wait()
        matched.append(passwords.matches("correct horse battery", hashed))

    threads = [Thread(target=log_in) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert matched == [True] * 8
