/* Writes frames: their length in network order, an octet of command, data. */
#include "core/milter/internal.h"

#define LENGTH_OCTETS 4

static void write_u32(char *at, uint32_t number)
{
        for (unsigned i = 0; i < LENGTH_OCTETS; i++)
                at[i] = (char)(number >> (24 - 8 * i) & 0xff);
}

void milter_put_u32(struct text *out, uint32_t number)
{
        char octets[LENGTH_OCTETS];

        write_u32(octets, number);
        text_put(out, span_of(octets, sizeof octets));
}

size_t milter_begin_frame(struct text *out, char command)
{
        size_t frame = out->length;

        milter_put_u32(out, 0);
        text_put_char(out, command);
        return frame;
}

void milter_end_frame(struct text *out, size_t frame)
{
        expect(!out->overflowed);
        write_u32(out->at + frame, (uint32_t)(out->length - frame - LENGTH_OCTETS));
}

void milter_put_string(struct text *out, struct span string)
{
        for (size_t nul; (nul = span_find(string, '\0')) != SIZE_MAX; string = span_skip(string, nul + 1)) {
                text_put(out, span_of(string.at, nul));
                text_put_char(out, '?');
        }
        text_put(out, string);
        text_put_char(out, '\0');
}
