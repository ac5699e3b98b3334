"""Scraping: targets, their loops, and the jobs that they belong to."""

from vedette.collect.scrape.loop import ScrapeContext, ScrapeMetrics, TargetLoop
from vedette.collect.scrape.pool import Discoverer, FoundGroup, Pool, Publish
from vedette.collect.scrape.scraper import PreparedJobs, Scraper

__all__ = [
    "Discoverer",
    "FoundGroup",
    "Pool",
    "PreparedJobs",
    "Publish",
    "ScrapeContext",
    "ScrapeMetrics",
    "Scraper",
    "TargetLoop",
]
