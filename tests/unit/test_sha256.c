/* src/os/sha256 against the examples of FIPS 180-4 and texts of all lengths around a
 * block. */
#include "unit.h"

#include <string.h>

#include "os/sha256.h"

static void the_examples_of_the_standard(void **state)
{
    static const struct {
        const char *text, *digest;
    } example[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char text[OS_SHA256_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
        struct os_sha256 sha;

        os_sha256_begin(&sha);
        os_sha256_add(&sha, example[i].text, strlen(example[i].text));
        assert_string_equal(os_sha256_end(&sha, text), example[i].digest);
    }
}

/* A million times "a", in pieces of a prime size. */
static void a_long_text_in_pieces(void **state)
{
    char piece[997], text[OS_SHA256_TEXT];
    struct os_sha256 sha;

    (void)state;
    memset(piece, 'a', sizeof piece);
    os_sha256_begin(&sha);
    for (size_t left = 1000000; left > 0;) {
        size_t n = left < sizeof piece ? left : sizeof piece;

        os_sha256_add(&sha, piece, n);
        left -= n;
    }
    assert_string_equal(
        os_sha256_end(&sha, text),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_make_no_difference(void **state)
{
    char bytes[200], whole[OS_SHA256_TEXT], parts[OS_SHA256_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(31 * i);
    for (size_t n = 50; n <= sizeof bytes; n++) {
        struct os_sha256 one, two;

        os_sha256_begin(&one);
        os_sha256_begin(&two);
        os_sha256_add(&one, bytes, n);
        for (size_t i = 0; i < n; i++)
            os_sha256_add(&two, bytes + i, 1);
        os_sha256_end(&one, whole);
        assert_string_equal(whole, os_sha256_end(&two, parts));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standard),
        cmocka_unit_test(a_long_text_in_pieces),
        cmocka_unit_test(pieces_make_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
