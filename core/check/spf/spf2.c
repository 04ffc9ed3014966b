/* libspf2 behind its wall. */
#include "core/check/spf/spf2.h"

#include "core/base/expect.h"

#include <sys/types.h>
#include <netinet/in.h>
#include <netdb.h>
#include <threads.h>

#include <spf2/spf.h>
#include <spf2/spf_dns.h>

struct engine {
        SPF_dns_server_t dns;
        SPF_server_t *server;
        SPF_request_t *request;
        /* of the run */
        struct spf2_names *names;
        const struct address *client;
        bool is_any; /* prefix 0 */
};

static once_flag engine_once = ONCE_FLAG_INIT;
static tss_t engine_key;

static void put_address(SPF_dns_rr_data_t *data, const uint8_t *octets, enum dns_type type)
{
        memcpy(data, octets, type == DNS_A ? sizeof data->a : sizeof data->aaaa);
}

/* MX hosts reach the library as their numbers. */
static void rr_fill(const struct engine *engine, SPF_dns_rr_t *rr, enum dns_type type,
                    const struct dns_answer *answer)
{
        char number[24];

        for (int i = 0; i < answer->record_count; i++) {
                expect(SPF_dns_rr_buf_realloc(rr, i, sizeof number) == SPF_E_SUCCESS);
                if (type == DNS_MX)
                        snprintf(rr->rr[i]->mx, sizeof number, "%d", i + 1);
                else if (engine->is_any)
                        put_address(rr->rr[i], engine->client->octets + (type == DNS_A ? 12 : 0), type);
                else
                        put_address(rr->rr[i], (const uint8_t *)answer->records[i].data.at, type);
                rr->num_rr = i + 1;
        }
}

/* Never NULL: the library would abort the program. */
static SPF_dns_rr_t *engine_lookup(SPF_dns_server_t *dns, const char *domain, ns_type rr_type,
                                   int should_cache)
{
        struct engine *engine = dns->hook;
        const struct dns_answer *answer = NULL;
        enum dns_type type = (enum dns_type)rr_type;
        enum fact fact = engine->names->ask(engine->names, strtoul(domain, NULL, 10), type, &answer);
        SPF_dns_stat_t status = fact == FACT_FOUND    ? NETDB_SUCCESS
                                : fact == FACT_ABSENT ? HOST_NOT_FOUND
                                                      : TRY_AGAIN;
        SPF_dns_rr_t *rr = SPF_dns_rr_new_init(dns, domain, rr_type, 0, status);

        (void)should_cache;
        expect(rr != NULL);
        if (fact == FACT_FOUND)
                rr_fill(engine, rr, type, answer);
        return rr;
}

/* Records and explanations are never the library's to fetch. */
static SPF_errcode_t engine_get_spf(SPF_server_t *server, SPF_request_t *request, SPF_response_t *response,
                                    SPF_record_t **ret_record)
{
        (void)server, (void)request, (void)response, (void)ret_record;
        return SPF_E_NOT_SPF;
}

static SPF_errcode_t engine_get_exp(SPF_server_t *server, const char *domain, char **buffer, size_t *size)
{
        (void)server, (void)domain, (void)buffer, (void)size;
        return SPF_E_NOT_SPF;
}

static void engine_free(void *pointer)
{
        struct engine *engine = pointer;
        SPF_request_free(engine->request);
        SPF_server_free(engine->server);
        free(engine);
}

static void engine_key_make(void)
{
        expect(tss_create(&engine_key, engine_free) == thrd_success);
}

static struct engine *engine_new(void)
{
        struct engine *engine = calloc(1, sizeof *engine);
        SPF_response_t *response = NULL;

        expect(engine != NULL);
        engine->dns = (SPF_dns_server_t){.lookup = engine_lookup,
                                         .get_spf = engine_get_spf,
                                         .get_exp = engine_get_exp,
                                         .name = "memo",
                                         .hook = engine};
        engine->server = SPF_server_new_dns(&engine->dns, 0);
        expect(engine->server != NULL);
        /* The default has macros. */
        expect(SPF_server_set_explanation(engine->server, "none", &response) == SPF_E_SUCCESS);
        SPF_response_free(response);
        expect(SPF_server_set_rec_dom(engine->server, "localhost") == SPF_E_SUCCESS);
        engine->request = SPF_request_new(engine->server);
        expect(engine->request != NULL);
        engine->request->cur_dom = "0";
        return engine;
}

static struct engine *engine_for(const struct address *client)
{
        call_once(&engine_once, engine_key_make);
        struct engine *engine = tss_get(engine_key);
        if (engine == NULL) {
                engine = engine_new();
                expect(tss_set(engine_key, engine) == thrd_success);
        }
        if (address_is_ipv4(client)) {
                struct in_addr in;
                memcpy(&in, client->octets + 12, sizeof in);
                SPF_request_set_ipv4(engine->request, in);
        } else {
                struct in6_addr in6;
                memcpy(&in6, client->octets, sizeof in6);
                SPF_request_set_ipv6(engine->request, in6);
        }
        engine->client = client;
        return engine;
}

/* Compiled and interpreted apart from SPF_request_query_...(), which let every loopback client pass
 * unseen. */
static SPF_result_t engine_run(struct engine *engine, const char *record)
{
        SPF_response_t *response = SPF_response_new(engine->request);
        SPF_record_t *compiled = NULL;

        expect(response != NULL);
        expect(SPF_record_compile(engine->server, response, &compiled, record) == SPF_E_SUCCESS);
        response->spf_record_exp = compiled;
        SPF_record_interpret(compiled, engine->request, response, 0);
        SPF_result_t result = response->result;
        SPF_record_free(compiled);
        SPF_response_free(response);
        return result;
}

enum spf2_match spf2_match_names(const struct address *client, const struct spf_term *term,
                                 struct spf2_names *names)
{
        bool is_ipv4 = address_is_ipv4(client);
        unsigned prefix = is_ipv4 ? term->prefix4 : term->prefix6;
        struct engine *engine = engine_for(client);
        char record[64];

        engine->names = names;
        engine->is_any = prefix == 0;
        if (term->kind == SPF_TERM_EXISTS || prefix == 0 || prefix == (is_ipv4 ? 32 : 128))
                snprintf(record, sizeof record, "%s %s:0", SPF_VER_STR,
                         term->kind == SPF_TERM_A    ? "a"
                         : term->kind == SPF_TERM_MX ? "mx"
                                                     : "exists");
        else
                snprintf(record, sizeof record, "%s %s:0%s%u", SPF_VER_STR,
                         term->kind == SPF_TERM_A ? "a" : "mx", is_ipv4 ? "/" : "//", prefix);
        SPF_result_t result = engine_run(engine, record);
        engine->names = NULL;
        engine->is_any = false;
        return result == SPF_RESULT_PASS      ? SPF2_MATCH
               : result == SPF_RESULT_NEUTRAL ? SPF2_NO_MATCH
                                              : SPF2_STOPPED;
}
