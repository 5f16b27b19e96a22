/* Runs a fuzz target without a fuzzer: on each file of a folder and on seeded mutations
 * of it (bits flipped, bytes inserted, removed, copied, two files joined). The same every
 * time, so that what it finds can be found again.
 *
 *     fuzz_NAME FOLDER [MUTATIONS]
 *
 * With clang and -DVD_FUZZ=ON the targets are linked with libFuzzer instead. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 1024, SIZE_MAX_FILE = 1 << 20, GROWTH = 256 };

struct seed {
    uint8_t *at;
    size_t size;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int read_file(const char *folder, const char *name, struct seed *seed)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    seed->at = malloc(SIZE_MAX_FILE);
    seed->size = seed->at == NULL ? 0 : fread(seed->at, 1, SIZE_MAX_FILE, file);
    fclose(file);
    return seed->at == NULL ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names: the folder's own order differs between machines. */
static size_t read_folder(const char *folder, struct seed *seed)
{
    DIR *dir = opendir(folder);
    char *name[FILES_MAX];
    size_t n = 0, kept = 0;

    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL && n < FILES_MAX;)
        if (entry->d_name[0] != '.')
            name[n++] = strdup(entry->d_name);
    closedir(dir);
    qsort(name, n, sizeof *name, by_name);
    for (size_t i = 0; i < n; i++) {
        if (read_file(folder, name[i], &seed[kept]) == 0)
            kept++;
        free(name[i]);
    }
    return kept;
}

/* One change in place; `room` bytes may be used. Returns the new size. */
static size_t mutate(uint8_t *at, size_t size, size_t room, uint64_t *random)
{
    size_t where = size == 0 ? 0 : next_random(random) % size;
    size_t length = 1 + next_random(random) % 8;

    switch (next_random(random) % 5) {
    case 0:
        if (size > 0)
            at[where] ^= (uint8_t)(1 << next_random(random) % 8);
        return size;
    case 1:
        if (size > 0)
            at[where] = (uint8_t)next_random(random);
        return size;
    case 2: /* insert */
        if (size + length > room)
            return size;
        memmove(at + where + length, at + where, size - where);
        memset(at + where, (int)(next_random(random) & 0xff), length);
        return size + length;
    case 3: /* remove */
        if (length > size - where)
            length = size - where;
        memmove(at + where, at + where + length, size - where - length);
        return size - length;
    default: /* copy a piece to another place */
        if (size > 0) {
            size_t to = next_random(random) % size;

            if (length > size - where)
                length = size - where;
            if (length > size - to)
                length = size - to;
            memmove(at + to, at + where, length);
        }
        return size;
    }
}

/* Runs it from a block of just its size, so that a sanitizer sees a byte too many. */
static void run(const uint8_t *at, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, at, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_mutations(const struct seed *seed, size_t n, size_t k, long mutations)
{
    uint64_t random = 0x9e3779b97f4a7c15 + k;
    const struct seed *other;
    uint8_t *at;
    size_t size, room;

    for (long i = 0; i < mutations; i++) {
        other = &seed[next_random(&random) % n];
        room = seed[k].size + other->size + GROWTH;
        at = malloc(room);
        if (at == NULL)
            abort();
        memcpy(at, seed[k].at, seed[k].size);
        size = seed[k].size;
        if (i % 8 == 7) {
            size = size == 0 ? 0 : next_random(&random) % size;
            memcpy(at + size, other->at, other->size);
            size += other->size;
        }
        for (uint64_t times = 1 + next_random(&random) % 6; times > 0; times--)
            size = mutate(at, size, room, &random);
        run(at, size);
        free(at);
    }
}

int main(int argc, char **argv)
{
    static struct seed seed[FILES_MAX];
    long mutations = argc > 2 ? strtol(argv[2], NULL, 10) : 2000;
    size_t n = argc > 1 ? read_folder(argv[1], seed) : 0;

    if (n == 0) {
        fprintf(stderr, "usage: %s FOLDER [MUTATIONS]; the folder has no file\n",
                argv[0]);
        return 2;
    }
    run(NULL, 0);
    for (size_t i = 0; i < n; i++)
        run(seed[i].at, seed[i].size);
    for (size_t i = 0; i < n; i++)
        run_mutations(seed, n, i, mutations);
    printf("%zu files, %ld mutations of each\n", n, mutations);
    for (size_t i = 0; i < n; i++)
        free(seed[i].at);
    return 0;
}
