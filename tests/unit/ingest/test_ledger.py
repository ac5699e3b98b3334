from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from vedette.ingest.ledger import MAX_SOURCES, OTHER, Ledger
from vedette.ingest.limits import Drop


def test_a_source_keeps_its_account() -> None:
    ledger = Ledger()

    ledger.account("a").received += 2
    ledger.account("a").stored += 1

    assert ledger.account("a").received == 2
    assert not ledger.account("a").balanced
    ledger.account("a").dropped[Drop.DUPLICATE] += 1
    assert ledger.account("a").balanced


def test_sources_beyond_the_limit_share_one_account() -> None:
    ledger = Ledger()
    for number in range(MAX_SOURCES):
        ledger.account(str(number)).received += 1

    ledger.account("one more").received += 1
    ledger.account("and another").received += 1

    assert ledger.account("yet another") is ledger.account(OTHER)
    assert ledger.account(OTHER).received == 2
    assert ledger.account("0").received == 1
    assert len(ledger.accounts()) == MAX_SOURCES + 1


def test_the_books_are_metrics() -> None:
    ledger = Ledger()
    account = ledger.account('scrape:"x"')
    account.received, account.stored = 3, 1
    account.dropped[Drop.TOO_OLD] += 2
    registry = CollectorRegistry()
    registry.register(ledger)

    text = generate_latest(registry).decode()

    assert 'vedette_samples_received_total{source="scrape:\\"x\\""} 3.0' in text
    assert 'vedette_samples_stored_total{source="scrape:\\"x\\""} 1.0' in text
    assert 'vedette_samples_dropped_total{reason="too_old",source="scrape:\\"x\\""} 2.0' in text
