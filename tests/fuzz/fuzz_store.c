/* What the store reads back from files that somebody may have damaged: the flight
 * recorder, model files, cells of a row, text files with any end; and any bytes on their
 * way into a JSON line or a terminal. The first byte of the input chooses. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "os/utf8.h"
#include "store/file.h"
#include "store/set.h"
#include "store/text.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is decoded is encoded to the same bytes, as far as they were read. */
static void try_moments(const uint8_t *data, size_t size)
{
    struct history_moment *moment;
    struct vd_writer again = {0};
    size_t n;

    if (store_moments_decode(data, size, &moment, &n) != VD_OK) {
        assert(moment == NULL && n == 0);
        return;
    }
    assert(store_moments_encode(&again, moment, n) == VD_OK);
    assert(again.size <= size);
    history_moments_free(moment, n);
    vd_writer_release(&again);
}

/* Moments made of the input, with one byte of them changed. */
static void try_changed_moments(const uint8_t *data, size_t size)
{
    struct record_process process[3];
    struct history_moment moment[2] = {{1, 3, process}, {2, 1, process}};
    struct vd_writer bytes = {0};

    memset(process, 0, sizeof process);
    for (size_t i = 0; i < 3 && size > 2; i++) {
        size_t n = size < RECORD_COMM_MAX ? size : RECORD_COMM_MAX - 1;

        memcpy(process[i].comm, data, n);
        process[i].pid = data[0];
    }
    assert(store_moments_encode(&bytes, moment, 2) == VD_OK);
    try_moments(bytes.at, bytes.size);
    if (size >= 3)
        bytes.at[(data[0] | data[1] << 8) % bytes.size] ^= data[2];
    try_moments(bytes.at, bytes.size);
    vd_writer_release(&bytes);
}

static void try_model(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    size_t left = size;

    assert(bytes != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    if (store_model_verify(bytes, &left))
        assert(left < size);
    free(bytes);
}

static void try_cells(const uint8_t *data, size_t size)
{
    for (int tier = STORE_RAW; tier < STORE_TIERS; tier++) {
        for (size_t i = 0; i < size + 2; i += 1 + i / 4) {
            struct store_cell cell =
                store_cell_read((enum store_tier)tier, data, size, i);

            assert(cell.count == 0 || isfinite(cell.mean));
        }
    }
}

static void try_text(const char *text)
{
    struct vd_writer line = {0};
    char visible[64];
    json_t *root;

    store_json_text(&line, text);
    assert(line.status == VD_OK);
    root = json_loadb((const char *)line.at, line.size, JSON_DECODE_ANY, NULL);
    assert(root != NULL);
    json_decref(root);
    vd_writer_release(&line);
    os_utf8_visible(text, visible, sizeof visible);
    for (const char *at = visible; *at != '\0'; at++)
        assert((unsigned char)*at >= 0x20 && *at != 0x7f);
}

static void remove_folder(const char *dir)
{
    DIR *open = opendir(dir);
    char path[512];

    assert(open != NULL);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(open);
    assert(rmdir(dir) == 0);
}

/* A file of ours with any content: after opening it and adding a line there is a header,
 * or a closed array, again. */
static void try_file(const uint8_t *data, size_t size, bool array)
{
    char dir[] = "/dev/shm/fuzz-store-XXXXXX", path[64]; /* in memory: closing syncs */
    struct store_config config = {.dir = dir};
    struct os_data_dir folder;
    struct store_file file;
    char end[3] = "";
    FILE *out;

    assert(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/x.csv", dir);
    out = fopen(path, "wb");
    assert(out != NULL && fwrite(data, 1, size, out) == size && fclose(out) == 0);
    assert(os_data_dir_open(&folder, dir, OS_DATA_DIR_WRITE, NULL) == VD_OK);
    config.folder = &folder;
    assert(store_file_open(&file, &config, "x.csv", array ? "[" : "a,b\n",
                           array ? "\n]\n" : NULL, NULL) == VD_OK);
    vd_write_bytes(&file.pending, "\n1", array ? 2 : 1);
    assert(store_file_flush(&file, NULL) == STORE_OK);
    assert(pread(file.fd, end, 1, 0) == 1 && end[0] == (array ? '[' : 'a'));
    if (array)
        assert(pread(file.fd, end, 3, file.size) == 3 && memcmp(end, "\n]\n", 3) == 0);
    store_file_close(&file);
    os_data_dir_close(&folder);
    remove_folder(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    assert(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 'm':
        try_changed_moments(data + 1, size - 1);
        break;
    case 'M':
        try_moments(data + 1, size - 1);
        break;
    case 'o':
        try_model(data + 1, size - 1);
        break;
    case 'c':
        try_cells(data + 1, size - 1);
        break;
    case 'a':
    case 'f':
        try_file(data + 1, size - 1, data[0] == 'a');
        break;
    default:
        try_text(text);
    }
    free(text);
    return 0;
}
