/* The files of models: three generations, and what is damaged. */
#include "unit.h"

#include <dirent.h>

#include "store_fixture.h"

static void corrupt_byte(const struct fixture *f, const char *name, long at)
{
    FILE *file = fopen(fixture_path(f, name), "r+b");
    int c;

    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    c = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(c ^ 0x10, file);
    fclose(file);
}

static void models_keep_three_generations(void **state)
{
    struct vd_error err = {0};
    char text[24] = "model 0";
    struct fixture f;
    store_set *set;
    void *bytes;
    size_t size;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    assert_int_equal(store_set_model_load(set, "host", &bytes, &size, &err), VD_ERR_DATA);
    assert_null(bytes);
    for (int i = 1; i <= 12; i++) {
        snprintf(text, sizeof text, "model%2d", i % 100);
        assert_int_equal(store_set_model_save(set, "host", text, sizeof text, NULL),
                         VD_OK);
    }
    assert_int_equal(store_set_model_save(set, "other", "", 0, NULL), VD_OK);
    assert_int_equal(access(fixture_path(&f, "models/host.9.model"), F_OK), -1);
    assert_int_equal(access(fixture_path(&f, "models/host.10.model"), F_OK), 0);
    assert_int_equal(store_set_model_load(set, "host", &bytes, &size, NULL), VD_OK);
    assert_int_equal(size, sizeof text);
    assert_string_equal(bytes, "model12");
    free(bytes);
    /* Every byte counts: one flipped anywhere, and the generation before is taken. */
    for (long at = 0; at < 24 + (long)sizeof text; at++) {
        corrupt_byte(&f, "models/host.12.model", at);
        assert_int_equal(store_set_model_load(set, "host", &bytes, &size, NULL), VD_OK);
        assert_string_equal(bytes, "model11");
        free(bytes);
        corrupt_byte(&f, "models/host.12.model", at);
    }
    for (long size_now = 24 + (long)sizeof text - 1; size_now >= 0; size_now--) {
        assert_int_equal(truncate(fixture_path(&f, "models/host.12.model"), size_now), 0);
        assert_int_equal(store_set_model_load(set, "host", &bytes, &size, NULL), VD_OK);
        assert_string_equal(bytes, "model11");
        free(bytes);
    }
    assert_int_equal(store_set_model_load(set, "other", &bytes, &size, NULL), VD_OK);
    assert_int_equal(size, 0);
    free(bytes);
    assert_int_equal(store_set_model_save(set, "../x", "", 0, NULL), VD_ERR_ARGUMENT);
    assert_int_equal(store_set_model_load(set, "", &bytes, &size, NULL), VD_ERR_ARGUMENT);
    store_set_close(set);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_keep_three_generations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
