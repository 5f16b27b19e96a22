/* Reads the golden files (tests/golden/make_golden.py): blocks of "rows columns" and
 * numbers. */
#ifndef VD_GOLDEN_H
#define VD_GOLDEN_H

#include <stdio.h>

#include "vedette/matrix.h"

struct golden {
    FILE *file;
};

static struct golden golden_open(const char *name)
{
    struct golden g;
    char path[512];
    int c;

    snprintf(path, sizeof path, "%s/golden/%s.txt", TESTS_DIR, name);
    g.file = fopen(path, "r");
    if (g.file == NULL)
        fail_msg("cannot open %s", path);
    while ((c = fgetc(g.file)) == '#')
        while ((c = fgetc(g.file)) != '\n' && c != EOF)
            ;
    ungetc(c, g.file);
    return g;
}

/* The next block; release with vd_matrix_release. */
static struct vd_matrix golden_next(struct golden *g)
{
    struct vd_matrix m;
    size_t n, d;

    assert_int_equal(fscanf(g->file, "%zu %zu", &n, &d), 2);
    assert_int_equal(vd_matrix_init(&m, n, d), VD_OK);
    for (size_t i = 0; i < n * d; i++)
        assert_int_equal(fscanf(g->file, "%lf", &m.at[i]), 1);
    return m;
}

static void golden_close(struct golden *g)
{
    fclose(g->file);
}

#endif
