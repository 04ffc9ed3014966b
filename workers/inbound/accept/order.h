/* What the main thread wants of those who accept: acceptor threads, or workers that do it themselves. */
#pragma once

#include "workers/inbound/accept/listener.h"
#include "workers/thread/channel.h"

enum accept_order_kind {
        ACCEPT_LISTEN, /* use this listener */
        ACCEPT_LOOK,   /* some depart */
        ACCEPT_STOP,   /* all depart, and whoever comes still is turned away */
};

struct accept_order {
        struct parcel parcel;
        enum accept_order_kind kind;
        struct listener *listener;
};

/* Main thread. False when memory is out. Returns when the order is in the channel. */
bool accept_order_send(struct channel *orders, enum accept_order_kind kind, struct listener *listener);
/* False when there is none. */
bool accept_order_receive(struct channel *orders, struct accept_order *ret_order);
