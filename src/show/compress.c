/* Content codings: who wants which, and zlib. */
#include "show/compress.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

/* Bounds both ways at 16 MiB. Adding 16 to the window makes zlib write and read the head
 * of gzip instead of its own. */
enum { UNPACKED_MAX = 16 * 1024 * 1024, GZIP_WINDOW = 16 + MAX_WBITS };

/* ---- the field ---- */

/* Reads "0", "1" or "0.125" as thousandths; -1 means that it is none of them. HTTP allows
 * three decimals at most. */
static int read_quality(const char *text, size_t size)
{
    int value = 0;

    if (size == 0 || size > 5 || (text[0] != '0' && text[0] != '1') ||
        (size > 1 && text[1] != '.'))
        return -1;
    for (size_t i = 0; i < 5; i++) {
        char c = i < size ? text[i] : '0';

        if (i == 1)
            continue;
        if (c < '0' || c > '9')
            return -1;
        value = 10 * value + (c - '0');
    }
    return value <= 1000 ? value : -1;
}

/* Gives the quality of one item "coding ; q=0.5", and the length of the coding's name in
 * *name_size. Without a parameter it is 1000; a parameter that is no quality gives -1. */
static int read_item(const char *item, size_t size, size_t *name_size)
{
    const char *parameter = memchr(item, ';', size);
    size_t name = parameter == NULL ? size : (size_t)(parameter - item);
    size_t at = name;

    while (name > 0 && (item[name - 1] == ' ' || item[name - 1] == '\t'))
        name--;
    *name_size = name;
    if (parameter == NULL)
        return 1000;
    for (at++; at < size && (item[at] == ' ' || item[at] == '\t'); at++)
        ;
    if (size - at < 2 || (item[at] | 0x20) != 'q' || item[at + 1] != '=')
        return -1;
    while (size > at && (item[size - 1] == ' ' || item[size - 1] == '\t'))
        size--;
    return read_quality(item + at + 2, size - at - 2);
}

/* Compares without regard to case, as codings are written in any. */
static bool is_name(const char *item, size_t size, const char *name)
{
    return size == strlen(name) && strncasecmp(item, name, size) == 0;
}

/* Decides by the field Accept-Encoding. A wrong quality counts as 0, a "*" stands for
 * gzip where gzip is not named, and plain bytes win only when they are wanted more. */
bool show_takes_gzip(const char *accept_encoding)
{
    const char *at = accept_encoding;
    int gzip = -1, any = -1, identity = 0;

    while (at != NULL && *at != '\0') {
        size_t size, name;
        int quality;

        at += strspn(at, ", \t");
        size = strcspn(at, ",");
        quality = read_item(at, size, &name);
        if (quality < 0)
            quality = 0;
        if (is_name(at, name, "gzip") || is_name(at, name, "x-gzip"))
            gzip = quality;
        else if (is_name(at, name, "identity"))
            identity = quality;
        else if (is_name(at, name, "*"))
            any = quality;
        at += size;
    }
    if (gzip < 0)
        gzip = any;
    return gzip > 0 && gzip >= identity;
}

/* ---- zlib ---- */

/* Packs the text. It returns false where packing does not pay or fails; the caller then
 * sends it as it is. The fastest level is used: answers go through loopback, so time
 * counts more than size. */
bool show_gzip(struct show_json *out, const struct show_json *text)
{
    z_stream z = {.next_in = (unsigned char *)show_json_text(text),
                  .avail_in = (uInt)text->size};
    unsigned char piece[16384];
    int result;

    assert(out->size == 0);
    if (text->failed || text->size <= SHOW_COMPRESS_FROM || text->size > UNPACKED_MAX)
        return false;
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    do {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        result = deflate(&z, Z_FINISH);
        show_json_append(out, (const char *)piece, sizeof piece - z.avail_out);
    } while (result == Z_OK);
    deflateEnd(&z);
    if (result == Z_STREAM_END && !out->failed)
        return true;
    show_json_release(out);
    return false;
}

bool show_gzip_in_place(struct show_json *text)
{
    struct show_json packed = {0};

    if (!show_gzip(&packed, text))
        return false;
    show_json_release(text);
    *text = packed;
    return true;
}

/* Unpacks bytes that the program holds itself. The bound keeps a damaged asset from
 * filling the memory. */
bool show_gunzip(struct show_json *out, const unsigned char *bytes, size_t size)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (uInt)size};
    unsigned char piece[4096];
    int result;

    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return false;
    do {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        result = inflate(&z, Z_NO_FLUSH);
        show_json_append(out, (const char *)piece, sizeof piece - z.avail_out);
    } while (result == Z_OK && out->size < UNPACKED_MAX);
    inflateEnd(&z);
    return result == Z_STREAM_END && !out->failed;
}
