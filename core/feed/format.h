/* In which form a feed is written: those of rbldnsd(8), and plain lists. */
#pragma once

enum feed_format {
        FEED_AUTO, /* by the name of a file, else by what is in it: combined, or a list */
        FEED_LIST, /* of networks of both families, or of domains; what is in it is as in ip4set, ip6trie and dnset */
        FEED_IP4SET,
        FEED_IP4TRIE,
        FEED_IP4TSET,
        FEED_IP6TRIE,
        FEED_IP6TSET,
        FEED_DNSET,
        FEED_GENERIC,
        FEED_COMBINED,
        FEED_FORMATS
};

/* In the same order. */
#define FEED_FORMAT_NAMES                                                                                    \
        "auto", "list", "ip4set", "ip4trie", "ip4tset", "ip6trie", "ip6tset", "dnset", "generic", "combined"
