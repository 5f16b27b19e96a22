#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "alloc_fault.h"
#include "collect/worker.h"
#include "machine.h"
#include "tree.h"

struct job {
    atomic_int done, freed;
    atomic_bool in_work;
    pthread_t by;
    pthread_mutex_t gate; /* the work passes through it */
};

static void work(void *context)
{
    struct job *job = context;

    atomic_store(&job->in_work, true);
    pthread_mutex_lock(&job->gate);
    pthread_mutex_unlock(&job->gate);
    atomic_store(&job->in_work, false);
    job->by = pthread_self();
    atomic_fetch_add(&job->done, 1);
}

static void free_job(void *context)
{
    struct job *job = context;

    atomic_fetch_add(&job->freed, 1);
}

static void job_init(struct job *job)
{
    *job = (struct job){.done = 0};
    pthread_mutex_init(&job->gate, NULL);
}

/* Until the condition holds; ends the test after ten seconds. */
#define WAIT_FOR(CONDITION)                                                              \
    do {                                                                                 \
        for (int i_ = 0; i_ < 10000 && !(CONDITION); i_++)                               \
            nanosleep(&(struct timespec){0, 1000000}, NULL);                             \
        assert_true(CONDITION);                                                          \
    } while (0)

static void test_in_the_caller(void **state)
{
    collect_worker *worker;
    struct job job;

    (void)state;
    job_init(&job);
    assert_int_equal(collect_worker_new(&worker, work, free_job, &job, false), VD_OK);
    assert_true(collect_worker_start(worker));
    assert_false(collect_worker_is_running(worker));
    assert_int_equal(atomic_load(&job.done), 1);
    assert_true(pthread_equal(job.by, pthread_self()));
    collect_worker_free(worker);
    assert_int_equal(atomic_load(&job.freed), 1);
}

static void test_on_a_thread(void **state)
{
    collect_worker *worker;
    struct job job;

    (void)state;
    job_init(&job);
    assert_int_equal(collect_worker_new(&worker, work, free_job, &job, true), VD_OK);
    for (int i = 1; i <= 50; i++) {
        assert_true(collect_worker_start(worker));
        WAIT_FOR(!collect_worker_is_running(worker));
        assert_int_equal(atomic_load(&job.done), i);
        assert_false(pthread_equal(job.by, pthread_self()));
    }
    collect_worker_free(worker);
    assert_int_equal(atomic_load(&job.freed), 1);
}

/* Asked again while it works: nothing happens, nothing piles up. */
static void test_start_while_running(void **state)
{
    collect_worker *worker;
    struct job job;

    (void)state;
    job_init(&job);
    assert_int_equal(collect_worker_new(&worker, work, free_job, &job, true), VD_OK);
    pthread_mutex_lock(&job.gate);
    for (int i = 0; i < 5; i++)
        assert_true(collect_worker_start(worker));
    assert_true(collect_worker_is_running(worker));
    pthread_mutex_unlock(&job.gate);
    WAIT_FOR(!collect_worker_is_running(worker));
    assert_int_equal(atomic_load(&job.done), 1);
    collect_worker_free(worker);
    assert_int_equal(atomic_load(&job.done), 1);
}

static void test_free_while_running(void **state)
{
    collect_worker *worker;
    struct job job;

    (void)state;
    job_init(&job);
    assert_int_equal(collect_worker_new(&worker, work, free_job, &job, true), VD_OK);
    pthread_mutex_lock(&job.gate);
    collect_worker_start(worker);
    WAIT_FOR(atomic_load(&job.in_work));
    collect_worker_free(worker); /* does not wait */
    assert_int_equal(atomic_load(&job.freed), 0);
    pthread_mutex_unlock(&job.gate);
    WAIT_FOR(atomic_load(&job.freed) == 1);
    assert_int_equal(atomic_load(&job.done), 1);
}

static void test_never_started(void **state)
{
    collect_worker *worker;
    struct job job;

    (void)state;
    job_init(&job);
    assert_int_equal(collect_worker_new(&worker, work, free_job, &job, true), VD_OK);
    collect_worker_free(worker);
    assert_int_equal(atomic_load(&job.freed), 1);
    collect_worker_free(NULL);
    alloc_fault_at(1);
    assert_int_equal(collect_worker_new(&worker, work, free_job, &job, true),
                     VD_ERR_MEMORY);
    alloc_fault_at(0);
    assert_null(worker);
    assert_int_equal(atomic_load(&job.freed), 2);
}

/* The collectors that use workers come to the same values with threads. */
static void test_laptop_with_threads(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "laptop");
    machine_init(&machine, tree.root);
    machine.config.threads = true;
    machine.config.nvml_library = NVML_STUB;
    machine_start(&machine, "thermal gpu filesystems");
    machine_tick(&machine, 1);
    for (int i = 0; i < 10000 && (isnan(machine_value(&machine, "cpu_temp")) ||
                                  isnan(machine_value(&machine, "gpu_percent")) ||
                                  !machine_has(&machine, "filesystem_percent{/}"));
         i++) {
        machine_tick(&machine, 0.01);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    assert_double_equal(machine_value(&machine, "cpu_temp"), 90, 0);
    assert_double_equal(machine_value(&machine, "gpu_percent"), 87, 0);
    assert_true(machine_value(&machine, "filesystem_percent{/}") >= 0);
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_caller),
        cmocka_unit_test(test_on_a_thread),
        cmocka_unit_test(test_start_while_running),
        cmocka_unit_test(test_free_while_running),
        cmocka_unit_test(test_never_started),
        cmocka_unit_test(test_laptop_with_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
