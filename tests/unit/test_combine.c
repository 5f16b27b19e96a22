/* src/detect: one surprise of several voices, row by row and for many rows. */
#include "unit.h"

#include "detect/combine.h"
#include "vedette/rng.h"

enum { ROWS = 1000, VOICES = 4 };

static void a_voice_alone_is_held_back(void **state)
{
    struct detect_voice voice[2] = {{.surprise = 9}, {.surprise = 1}};
    double held = detect_combine(voice, 2);

    (void)state;
    assert_true(held > 2 && held < 1 + DETECT_ALONE);
    voice[0].may_be_alone = true;
    assert_true(detect_combine(voice, 2) > 8);
    voice[0].may_be_alone = false;
    voice[1].surprise = NAN; /* there is no second one to be held back by */
    assert_double_equal(detect_combine(voice, 2), 9, 1e-9);
}

/* The bound by which rows are known to be quiet before all voices are heard. */
static void all_together_are_not_above_the_loudest(void **state)
{
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        double most = 1 + 8 * vd_rng_uniform(&rng);
        struct detect_voice voice[3] = {
            {.surprise = most * vd_rng_uniform(&rng), .may_be_alone = true},
            {.surprise = most * vd_rng_uniform(&rng)},
            {.surprise = 300 * vd_rng_uniform(&rng)},
        };

        assert_true(detect_combine(voice, 3) <= most + DETECT_ALONE + 1e-9);
    }
}

static void many_rows_are_combined_as_each(void **state)
{
    static double surprise[VOICES][ROWS], given[VOICES][ROWS], together[ROWS];
    static bool alone[ROWS];
    struct detect_voices voices[VOICES] = {{.surprise = surprise[0]},
                                           {.surprise = surprise[1]},
                                           {surprise[2], alone, false},
                                           {.surprise = surprise[3], .repeats = true}};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 4);
    for (size_t i = 0; i < ROWS; i++) {
        alone[i] = i % 3 == 0;
        for (size_t v = 0; v < VOICES; v++)
            surprise[v][i] = given[v][i] =
                vd_rng_below(&rng, 5) == 0 ? NAN : 12 * vd_rng_uniform(&rng);
    }
    detect_combine_rows(voices, VOICES, ROWS, together);
    for (size_t i = 0; i < ROWS; i++) {
        struct detect_voice voice[VOICES] = {{.surprise = given[0][i]},
                                             {.surprise = given[1][i]},
                                             {given[2][i], false, alone[i]},
                                             {given[3][i], true, false}};
        double one = detect_combine(voice, VOICES);

        assert_int_equal(isnan(one), isnan(together[i]));
        if (!isnan(one))
            assert_double_equal(together[i], one, 1e-11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_alone_is_held_back),
        cmocka_unit_test(all_together_are_not_above_the_loudest),
        cmocka_unit_test(many_rows_are_combined_as_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
