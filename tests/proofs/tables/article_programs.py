"""Proofs of the article's programs: the other side makes the mistake."""

from __future__ import annotations

from typing import Final

from tests.interop import test_article_programs
from tests.proofs.tables.proof import Proof

_client = test_article_programs.test_the_articles_clients_understand_every_server
_subscriber = test_article_programs.test_the_articles_subscriber_gets_its_topic_from_every_publisher

PROOFS: Final = (
    Proof(
        "flip",
        test_article_programs.test_the_articles_server_answers_every_client,
        "req-rep/tcp4/faulty>pebbe/right-binds/article-server",
        says="Hello",
    ),
    Proof("flip", _client, "req-rep/tcp4/pebbe>faulty/right-binds/article-client", says="reply: O"),
    Proof("flip", _client, "req-rep/tcp4/pyzmq>faulty/right-binds/article-client", says="reply: O"),
    Proof(
        "ignore-prefix",
        test_article_programs.test_the_articles_publisher_reaches_every_subscriber,
        "pub-sub/tcp4/go-zeromq>faulty/left-binds/article-publisher",
        says="topic2",
    ),
    Proof("drop", _subscriber, "pub-sub/tcp4/faulty>pyzmq/left-binds/article-subscriber"),
)
