/* Trees of processes: sums that never fall and lose nobody, on made-up files of /proc. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collect/process_tree.h"
#include "collect/tree_account.h"
#include "tree.h"

/* ---- accounts ---- */

static void take(struct collect_tree_part *part, double all, double heritage, bool first)
{
    double a[COLLECT_TREE_COUNTERS], h[COLLECT_TREE_COUNTERS];

    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++) {
        a[i] = all;
        h[i] = heritage;
    }
    collect_tree_take(part, a, h, first);
}

static double sum_of(const struct collect_tree_part *part, size_t n)
{
    double sum[COLLECT_TREE_COUNTERS] = {0};

    for (size_t i = 0; i < n; i++)
        collect_tree_add(sum, &part[i]);
    return sum[COLLECT_TREE_USER];
}

/* The heir is read before it inherits, and once more after it. */
static void test_a_debt_is_paid_by_what_is_inherited(void **state)
{
    struct collect_tree_part heir = {0}, gone = {0};
    double rest[COLLECT_TREE_COUNTERS];

    (void)state;
    take(&heir, 10, 4, true);
    take(&gone, 3, 0, true);
    collect_tree_bequeath(&heir, &gone);
    collect_tree_settle(&heir, rest);
    assert_double_equal(sum_of(&heir, 1), 13, 0);
    take(&heir, 13.5, 7.5, false);
    collect_tree_settle(&heir, rest);
    assert_double_equal(sum_of(&heir, 1), 13.5, 0);
    assert_double_equal(heir.owed[COLLECT_TREE_USER], 0, 0);
    assert_double_equal(rest[COLLECT_TREE_USER], 0.5, 1e-12);
}

static void test_a_debt_that_nobody_pays_stays(void **state)
{
    struct collect_tree_part heir = {0}, gone = {0};
    double rest[COLLECT_TREE_COUNTERS];

    (void)state;
    take(&heir, 1, 0, true);
    take(&gone, 5, 0, true);
    collect_tree_bequeath(&heir, &gone);
    for (int i = 2; i < 5; i++) {
        take(&heir, i, 0, false);
        collect_tree_settle(&heir, rest);
        assert_double_equal(sum_of(&heir, 1), 5 + i, 0);
    }
}

/* A debt goes on to the heir's heir. */
static void test_debts_are_inherited(void **state)
{
    struct collect_tree_part root = {0}, heir = {0}, gone = {0};
    double rest[COLLECT_TREE_COUNTERS];

    (void)state;
    take(&root, 0, 0, true);
    take(&heir, 1, 0, true);
    take(&gone, 5, 0, true);
    collect_tree_bequeath(&heir, &gone);
    collect_tree_settle(&heir, rest);
    collect_tree_bequeath(&root, &heir);
    take(&root, 6, 6, false);
    collect_tree_settle(&root, rest);
    assert_double_equal(sum_of(&root, 1), 6, 0);
}

static void test_what_may_not_be_read_stays(void **state)
{
    struct collect_tree_part part = {0};

    (void)state;
    take(&part, 7, 2, true);
    take(&part, NAN, NAN, false);
    take(&part, 6, 1, false);
    assert_double_equal(part.all[COLLECT_TREE_USER], 7, 0);
    assert_double_equal(part.heritage[COLLECT_TREE_USER], 2, 0);
}

/* ---- trees ---- */

/* One process of the made-up machine. */
struct process {
    int pid, parent, start;
    long user, children_user; /* ticks */
    long rss, faults;         /* pages */
    long pss_kib;
    long rchar;
    char state;
};

static void write_process(const struct tree *tree, const struct process *p)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", p->pid);
    tree_write(
        tree, path,
        "%d (a b) %c (x) %c %d 1 1 0 -1 0 %ld 0 0 0 %ld 0 %ld 0 20 0 3 0 %d 4096000 "
        "%ld 18446744073709551615 94000 0 140000 0 0 0\n",
        p->pid, 'c', p->state == 0 ? 'S' : p->state, p->parent, p->faults, p->user,
        p->children_user, p->start, p->rss);
    snprintf(path, sizeof path, "/proc/%d/io", p->pid);
    tree_write(tree, path,
               "rchar: %ld\nwchar: 5\nsyscr: 1\nsyscw: 1\nread_bytes: 0\n"
               "write_bytes: 0\ncancelled_write_bytes: 0\n",
               p->rchar);
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", p->pid);
    tree_write(tree, path,
               "5000-7000 ---p 00000000 00:00 0 [rollup]\nRss: %ld kB\nPss: %ld kB\n"
               "Swap: 3 kB\n",
               p->rss * 4, p->pss_kib);
}

static void remove_process(const struct tree *tree, int pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d", pid);
    tree_remove(tree, path);
}

static collect_tree *open_tree(const struct tree *tree, int pid, int adopter, long every)
{
    const struct collect_tree_config config = {tree->root, pid, adopter, every};
    struct vd_error err = {0};
    collect_tree *out;

    assert_int_equal(collect_tree_new(&out, &config, &err), VD_OK);
    return out;
}

static double seconds(long ticks)
{
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* Children, a grandchild with a lower number than its parent, a stranger; a zombie counts
 * with its time and not as a process. */
static void test_who_belongs_to_the_tree(void **state)
{
    static const struct process all[] = {
        {.pid = 100, .parent = 1, .start = 50, .user = 10, .rss = 20, .pss_kib = 40},
        {.pid = 120, .parent = 100, .start = 60, .user = 20, .rss = 10, .pss_kib = 30},
        {.pid = 90, .parent = 120, .start = 70, .user = 30, .rss = 10, .pss_kib = 20},
        {.pid = 130, .parent = 120, .start = 71, .user = 5, .state = 'Z'},
        {.pid = 140, .parent = 1, .start = 72, .user = 1000, .rss = 9999},
    };
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;
    const int *pid;
    size_t n;

    (void)state;
    tree_init(&files);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        write_process(&files, &all[i]);
    tree = open_tree(&files, 100, 0, 0);
    collect_tree_read(tree, NULL, &use);
    assert_int_equal(use.processes, 3);
    assert_int_equal(use.threads, 9);
    assert_double_equal(use.counter[COLLECT_TREE_USER], seconds(65), 1e-9);
    assert_double_equal(use.pss, 90 * 1024, 0);
    assert_double_equal(use.rss, 160 * 1024, 0);
    assert_double_equal(use.swap, 9 * 1024, 0);
    assert_double_equal(use.vmem, 3 * 4096000, 0);
    assert_double_equal(use.counter[COLLECT_TREE_WRITTEN_CHARS], 20, 0);
    assert_true(use.has_root);
    pid = collect_tree_pids(tree, &n);
    assert_int_equal(n, 4);
    assert_int_equal(pid[0], 90);
    collect_tree_free(tree);
    tree_release(&files);
}

/* A member stays one when its parent ends and it is given away; what the adopter is given
 * belongs, even when its parent was never seen. */
static void test_orphans_stay(void **state)
{
    struct process root = {.pid = 100, .parent = 7, .start = 1};
    struct process child = {.pid = 101, .parent = 100, .start = 2, .user = 50};
    struct process grandchild = {.pid = 102, .parent = 101, .start = 3, .user = 30};
    struct process unseen = {.pid = 103, .parent = 7, .start = 4, .user = 9};
    double waited[COLLECT_TREE_COUNTERS] = {0};
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;

    (void)state;
    tree_init(&files);
    write_process(&files, &root);
    write_process(&files, &child);
    write_process(&files, &grandchild);
    tree = open_tree(&files, 100, 7, 0);
    collect_tree_read(tree, waited, &use);
    assert_int_equal(use.processes, 3);
    remove_process(&files, 101);
    root.children_user = 50;
    grandchild.parent = 7;
    write_process(&files, &root);
    write_process(&files, &grandchild);
    write_process(&files, &unseen);
    collect_tree_read(tree, waited, &use);
    assert_int_equal(use.processes, 3);
    assert_double_equal(use.counter[COLLECT_TREE_USER], seconds(89), 1e-9);
    /* All end, and the adopter has waited for them: nothing is counted twice. */
    remove_process(&files, 100);
    remove_process(&files, 102);
    remove_process(&files, 103);
    waited[COLLECT_TREE_USER] = seconds(95);
    collect_tree_read(tree, waited, &use);
    assert_int_equal(use.processes, 0);
    assert_false(use.has_root);
    assert_double_equal(use.counter[COLLECT_TREE_USER], seconds(95), 1e-9);
    collect_tree_free(tree);
    tree_release(&files);
}

/* The parent's file was read before it inherited: for one sample its child is missing. */
static void test_no_counter_falls_when_a_child_ends_in_between(void **state)
{
    struct process root = {.pid = 100, .parent = 1, .start = 1, .user = 4, .rchar = 10};
    struct process child = {
        .pid = 101, .parent = 100, .start = 2, .user = 50, .rchar = 1000};
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;

    (void)state;
    tree_init(&files);
    write_process(&files, &root);
    write_process(&files, &child);
    tree = open_tree(&files, 100, 0, 0);
    collect_tree_read(tree, NULL, &use);
    remove_process(&files, 101);
    for (int i = 0; i < 2; i++) {
        collect_tree_read(tree, NULL, &use);
        assert_double_equal(use.counter[COLLECT_TREE_USER], seconds(54), 1e-9);
        assert_double_equal(use.counter[COLLECT_TREE_READ_CHARS], 1010, 0);
    }
    root.children_user = 52;
    root.rchar = 1013;
    write_process(&files, &root);
    collect_tree_read(tree, NULL, &use);
    assert_double_equal(use.counter[COLLECT_TREE_USER], seconds(56), 1e-9);
    assert_double_equal(use.counter[COLLECT_TREE_READ_CHARS], 1013, 0);
    collect_tree_free(tree);
    tree_release(&files);
}

/* The number of a member is given to a stranger. */
static void test_a_number_that_is_used_again(void **state)
{
    struct process root = {.pid = 100, .parent = 1, .start = 1};
    struct process child = {.pid = 101, .parent = 100, .start = 2, .user = 50};
    struct process stranger = {.pid = 101, .parent = 1, .start = 9, .user = 7000};
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;

    (void)state;
    tree_init(&files);
    write_process(&files, &root);
    write_process(&files, &child);
    tree = open_tree(&files, 100, 0, 0);
    collect_tree_read(tree, NULL, &use);
    write_process(&files, &stranger);
    for (int i = 0; i < 3; i++) {
        collect_tree_read(tree, NULL, &use);
        assert_int_equal(use.processes, 1);
        assert_double_equal(use.counter[COLLECT_TREE_USER], seconds(50), 1e-9);
    }
    collect_tree_free(tree);
    tree_release(&files);
}

/* The proportional size is read again when memory changed, and of all after a while. */
static void test_pss_is_read_as_needed(void **state)
{
    struct process root = {
        .pid = 100, .parent = 1, .start = 1, .rss = 1000, .pss_kib = 1000};
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;
    int reads = 0;

    (void)state;
    tree_init(&files);
    write_process(&files, &root);
    tree = open_tree(&files, 100, 0, 0);
    collect_tree_read(tree, NULL, &use);
    assert_double_equal(use.pss, 1000 * 1024, 0);
    root.pss_kib = 900;
    write_process(&files, &root);
    while (use.pss > 900 * 1024 && reads++ < 100)
        collect_tree_read(tree, NULL, &use);
    assert_in_range(reads, 2, 10);
    root.pss_kib = 800;
    root.faults = 1;
    write_process(&files, &root);
    collect_tree_read(tree, NULL, &use);
    assert_double_equal(use.pss, 800 * 1024, 0);
    collect_tree_free(tree);

    tree = open_tree(&files, 100, 0, 3);
    for (int i = 0; i < 9; i++) {
        collect_tree_read(tree, NULL, &use);
        assert_double_equal(use.pss, (800 + i / 3 * 3) * 1024, 0);
        root.pss_kib = 800 + i + 1;
        root.faults++;
        write_process(&files, &root);
    }
    collect_tree_free(tree);
    tree_release(&files);
}

/* Kernels before 4.14 have no sum of the mappings. */
static void test_smaps_of_old_kernels(void **state)
{
    struct process root = {.pid = 100, .parent = 1, .start = 1, .rss = 10};
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;

    (void)state;
    tree_init(&files);
    write_process(&files, &root);
    tree_remove(&files, "/proc/100/smaps_rollup");
    tree_write(&files, "/proc/100/smaps",
               "1-2 r-xp 0 00:00 0 /a\nSize: 8 kB\nRss: 8 kB\nPss: 2 kB\nSwap: 0 kB\n"
               "3-4 rw-p 0 00:00 0\nSize: 8 kB\nRss: 4 kB\nPss: 4 kB\nSwap: 1 kB\n");
    tree = open_tree(&files, 100, 0, 0);
    collect_tree_read(tree, NULL, &use);
    assert_double_equal(use.pss, 6 * 1024, 0);
    assert_double_equal(use.rss, 12 * 1024, 0);
    assert_double_equal(use.swap, 1024, 0);
    collect_tree_free(tree);
    tree_release(&files);
}

/* A kernel without counters of I/O: unknown, and not 0. */
static void test_no_io(void **state)
{
    struct process root = {.pid = 100, .parent = 1, .start = 1};
    struct collect_tree_use use;
    struct tree files;
    collect_tree *tree;

    (void)state;
    tree_init(&files);
    write_process(&files, &root);
    tree_remove(&files, "/proc/100/io");
    tree = open_tree(&files, 100, 0, 0);
    collect_tree_read(tree, NULL, &use);
    for (int i = COLLECT_TREE_READ_CHARS; i < COLLECT_TREE_COUNTERS; i++)
        assert_double_equal(use.counter[i], NAN, 0);
    assert_double_equal(use.counter[COLLECT_TREE_USER], 0, 0);
    collect_tree_free(tree);
    tree_release(&files);
}

static void test_no_such_process(void **state)
{
    struct collect_tree_config config = {.pid = 100};
    struct vd_error err = {0};
    struct tree files;
    collect_tree *tree;

    (void)state;
    tree_init(&files);
    tree_write(&files, "/proc/1/stat", "garbage");
    config.root = files.root;
    assert_int_equal(collect_tree_new(&tree, &config, &err), VD_ERR_DATA);
    assert_non_null(strstr(err.text, "100"));
    config.pid = 1;
    vd_error_clear(&err);
    assert_int_equal(collect_tree_new(&tree, &config, &err), VD_ERR_DATA);
    config.root = "/nowhere";
    vd_error_clear(&err);
    assert_int_equal(collect_tree_new(&tree, &config, &err), VD_ERR_IO);
    assert_null(tree);
    tree_release(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_debt_is_paid_by_what_is_inherited),
        cmocka_unit_test(test_a_debt_that_nobody_pays_stays),
        cmocka_unit_test(test_debts_are_inherited),
        cmocka_unit_test(test_what_may_not_be_read_stays),
        cmocka_unit_test(test_who_belongs_to_the_tree),
        cmocka_unit_test(test_orphans_stay),
        cmocka_unit_test(test_no_counter_falls_when_a_child_ends_in_between),
        cmocka_unit_test(test_a_number_that_is_used_again),
        cmocka_unit_test(test_pss_is_read_as_needed),
        cmocka_unit_test(test_smaps_of_old_kernels),
        cmocka_unit_test(test_no_io),
        cmocka_unit_test(test_no_such_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
