#include "workers/senders/redis/wire.h"

#include "workers/senders/redis/secure.h"

/* Octets that one reply may take in memory, and that may wait to be read: the library looks for the end of a line in
 * all of them, at each read. The most that is asked for are a thousand notices, which take less. */
#define REPLY_MAX    (1 << 20)
#define DEPTH_MAX    8 /* arrays in arrays, which the library frees by calling itself */
#define ELEMENT_SIZE (sizeof(redisReply) + sizeof(redisReply *))
#define TOO_LONG     "a reply that is too long"

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* ---- events --------------------------------------------------------------------------------------------- */

static void add_read(void *data)
{
        ((struct redis_wire *)data)->wants_read = true;
}

static void del_read(void *data)
{
        ((struct redis_wire *)data)->wants_read = false;
}

static void add_write(void *data)
{
        ((struct redis_wire *)data)->wants_write = true;
}

static void del_write(void *data)
{
        ((struct redis_wire *)data)->wants_write = false;
}

static void clean_up(void *data)
{
        struct redis_wire *wire = data;
        wire->wants_read = wire->wants_write = false;
}

/* ---- what may be said: the library ends the process when a reply comes that nobody has asked for, and takes memory
 * for as many elements as the other side says there will be. ---------------------------------------------- */

static bool is_asked_for(const redisReadTask *task, size_t size)
{
        struct redis_wire *wire = task->privdata;

        if (task->parent == NULL)
                wire->reply_size = 0;
        wire->reply_size += size;
        if (task->parent == NULL && wire->context->replies.head == NULL)
                redis_wire_blame(wire, "it says what nobody has asked for");
        else if (wire->reply_size > REPLY_MAX)
                redis_wire_blame(wire, TOO_LONG);
        else
                return true;
        return false;
}

static void *make_string(const redisReadTask *task, char *octets, size_t length)
{
        const struct redis_wire *wire = task->privdata;
        return is_asked_for(task, length) ? wire->usual->createString(task, octets, length) : NULL;
}

static bool is_too_deep(const redisReadTask *task)
{
        unsigned depth = 0;

        for (; task != NULL && depth <= DEPTH_MAX; task = task->parent)
                depth++;
        return depth > DEPTH_MAX;
}

/* Its elements are counted now, for the library takes the memory for them at once. */
static void *make_array(const redisReadTask *task, element_count count)
{
        const struct redis_wire *wire = task->privdata;
        bool is_too_large = (size_t)count > REPLY_MAX || is_too_deep(task);
        size_t size = is_too_large ? REPLY_MAX + 1 : (size_t)count * ELEMENT_SIZE;

        return is_asked_for(task, size) ? wire->usual->createArray(task, count) : NULL;
}

static void *make_integer(const redisReadTask *task, long long number)
{
        const struct redis_wire *wire = task->privdata;
        return is_asked_for(task, 0) ? wire->usual->createInteger(task, number) : NULL;
}

static void *make_nil(const redisReadTask *task)
{
        const struct redis_wire *wire = task->privdata;
        return is_asked_for(task, 0) ? wire->usual->createNil(task) : NULL;
}

static void free_reply(void *reply)
{
        freeReplyObject(reply);
}

/* Numbers and truth values of RESP3, which nobody has asked for. */
#if HIREDIS_MAJOR >= 1
static void *make_double(const redisReadTask *task, double number, char *octets, size_t length)
{
        (void)number, (void)octets, (void)length;
        redis_wire_blame(task->privdata, "it speaks another protocol");
        return NULL;
}

static void *make_bool(const redisReadTask *task, int is_true)
{
        (void)is_true;
        redis_wire_blame(task->privdata, "it speaks another protocol");
        return NULL;
}
#endif

void redis_wire_guard(struct redis_wire *wire, redisAsyncContext *context)
{
        static redisReplyObjectFunctions functions = {
                .createString = make_string,
                .createArray = make_array,
                .createInteger = make_integer,
                .createNil = make_nil,
                .freeObject = free_reply,
#if HIREDIS_MAJOR >= 1
                .createDouble = make_double,
                .createBool = make_bool,
#endif
        };
        redisReader *reader = context->c.reader;

        wire->context = context;
        wire->usual = reader->fn;
        reader->fn = &functions;
        reader->privdata = wire;
        context->data = wire;
}

/* ---- connection ---------------------------------------------------------------------------------------- */

void redis_wire_blame(struct redis_wire *wire, const char *reason)
{
        if (wire->reason[0] == '\0')
                span_copy_cut(span_from(reason), wire->reason, sizeof wire->reason);
}

/* A certificate that is not verified is a better reason than what the library makes of it. */
static void blame_error(struct redis_wire *wire, const char *error)
{
        char reason[REDIS_WIRE_REASON_MAX];
        const char *fault = redis_secure_fault(wire->ssl);

        snprintf(reason, sizeof reason, "%s%s%s",
                 fault == NULL ? "" : "its certificate: ", fault == NULL ? "" : fault,
                 fault == NULL ? error : "");
        redis_wire_blame(wire, reason);
}

/* The library frees the context after each of these. */
static void connected(const redisAsyncContext *context, int status)
{
        struct redis_wire *wire = context->data;

        if (status == REDIS_OK)
                return;
        blame_error(wire, context->errstr);
        wire->context = NULL;
}

static void disconnected(const redisAsyncContext *context, int status)
{
        struct redis_wire *wire = context->data;

        if (wire->context == NULL)
                return; /* it is we who end it */
        blame_error(wire, status == REDIS_OK ? "closed" : context->errstr);
        wire->context = NULL;
}

/* Where TLS is to be spoken it begins. False with the reason. */
static bool is_well(struct redis_wire *wire, const struct redis_settings *settings,
                    redisAsyncContext *context)
{
        if (context == NULL || context->err != 0) {
                redis_wire_blame(wire, context == NULL ? "out of memory" : context->errstr);
                return false;
        }
        if (settings->tls == NULL)
                return true;
        wire->ssl = redis_secure_begin(&context->c, settings->tls, settings->tls_name, &wire->server.address);
        if (wire->ssl == NULL)
                redis_wire_blame(wire, context->c.err != 0 ? context->c.errstr : "TLS cannot begin");
        return wire->ssl != NULL;
}

bool redis_wire_open(struct redis_wire *wire, const struct redis_settings *settings,
                     const struct endpoint *server)
{
        char address[ADDRESS_TEXT_MAX + 1];

        *wire = (struct redis_wire){.server = *server};
        address_write_string(&server->address, address);
        redisAsyncContext *context = redisAsyncConnect(address, server->port);
        if (!is_well(wire, settings, context)) {
                if (context != NULL)
                        redisAsyncFree(context);
                return false;
        }
        redis_wire_guard(wire, context);
        context->ev.data = wire;
        context->ev.addRead = add_read;
        context->ev.delRead = del_read;
        context->ev.addWrite = add_write;
        context->ev.delWrite = del_write;
        context->ev.cleanup = clean_up;
        redisAsyncSetConnectCallback(context, connected);
        redisAsyncSetDisconnectCallback(context, disconnected);
        return true;
}

void redis_wire_close(struct redis_wire *wire)
{
        redisAsyncContext *context = wire->context;

        wire->context = NULL;
        if (context != NULL)
                redisAsyncFree(context);
}

bool redis_wire_greet(struct redis_wire *wire, const struct redis_settings *settings, redisCallbackFn *done)
{
        if (settings->password[0] == '\0')
                return true;
        if (settings->user[0] == '\0')
                return redisAsyncCommand(wire->context, done, wire, "AUTH %s", settings->password) ==
                       REDIS_OK;
        return redisAsyncCommand(wire->context, done, wire, "AUTH %s %s", settings->user,
                                 settings->password) == REDIS_OK;
}

/* Redis 5 and later ones say it so. */
bool redis_reply_lets_in(const redisReply *reply)
{
        return reply->type != REDIS_REPLY_ERROR || strstr(reply->str, "no password is set") != NULL ||
               strstr(reply->str, "without any password configured") != NULL;
}

bool redis_wire_is_let_in(struct redis_wire *wire, const redisReply *reply)
{
        char reason[REDIS_WIRE_REASON_MAX];

        if (redis_reply_lets_in(reply))
                return true;
        snprintf(reason, sizeof reason, "it does not let us in (user, password): %s", reply->str);
        redis_wire_blame(wire, reason);
        return false;
}

/* ---- turns --------------------------------------------------------------------------------------------- */

struct pollfd redis_wire_poll(const struct redis_wire *wire)
{
        if (wire->context == NULL)
                return (struct pollfd){.fd = -1};
        return (struct pollfd){
            .fd = wire->context->c.fd,
            .events = (short)((wire->wants_read ? POLLIN : 0) | (wire->wants_write ? POLLOUT : 0))};
}

/* Each call may end the connection: the callbacks say so. */
void redis_wire_handle(struct redis_wire *wire, int revents)
{
        if ((revents & (POLLIN | POLLHUP | POLLERR)) && wire->context != NULL)
                redisAsyncHandleRead(wire->context);
        if ((revents & (POLLOUT | POLLHUP | POLLERR)) && wire->context != NULL)
                redisAsyncHandleWrite(wire->context);
        if (wire->context != NULL && wire->context->c.reader->len > REPLY_MAX) {
                redis_wire_blame(wire, TOO_LONG);
                redis_wire_close(wire);
        }
}

void redis_wire_flush(struct redis_wire *wire)
{
        if (wire->context != NULL && wire->wants_write && (wire->context->c.flags & REDIS_CONNECTED))
                redisAsyncHandleWrite(wire->context);
}
