/* Orders to those who accept. */
#include "workers/inbound/accept/order.h"

#include <time.h>

bool accept_order_send(struct channel *orders, enum accept_order_kind kind, struct listener *listener)
{
        struct accept_order *order = malloc(sizeof *order);

        if (order == NULL)
                return false;
        order->kind = kind;
        order->listener = listener;
        channel_send(orders, &order->parcel);
        while (!channel_flush(orders))
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        return true;
}

bool accept_order_receive(struct channel *orders, struct accept_order *ret_order)
{
        struct parcel *parcel = channel_receive(orders);

        if (parcel == NULL)
                return false;
        *ret_order = *(struct accept_order *)parcel;
        free(parcel);
        return true;
}
