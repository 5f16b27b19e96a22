/* The agent that learns from rewards: policy gradient (Williams, Machine Learning 8,
 * 1992; here summed over both actions) on labelled rows, then on feedback.
 *
 * State: the row, scaled. Actions: stay silent, alert. Rewards are settings; rows are
 * weighted so that both classes count the same. The raw score is the log-odds of
 * alerting, the threshold is 0. Up to 256 training rows stay in the model as a memory: a
 * row of feedback takes the place of the oldest one and is learned together with others
 * from there (experience replay; Lin, Machine Learning 8, 1992). There is no sequence of
 * states: each row is decided by itself.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "detect/agent/policy.h"
#include "detect/scaler.h"
#include "vedette/agent.h"

enum { COLUMNS_MAX = 1024, MEMORY = 256, FEEDBACK_STEPS = 8, FEEDBACK_ROWS = 16 };

enum param {
    HIT,
    MISS,
    FALSE_ALARM,
    SILENCE,
    LEARNING_RATE,
    DROPOUT,
    DECAY,
    ENTROPY,
    UPDATES,
    PATIENCE,
    N_PARAMS
};

static const struct vd_param params[N_PARAMS] = {
    [HIT] = {"reward_hit", "reward for an alert on an anomaly", NULL, 1, -100, 100},
    [MISS] = {"reward_miss", "reward for silence on an anomaly", NULL, -5, -100, 100},
    [FALSE_ALARM] = {"reward_false_alarm", "reward for an alert on a normal row", NULL,
                     -1, -100, 100},
    [SILENCE] = {"reward_silence", "reward for silence on a normal row", NULL, 0.1, -100,
                 100},
    [LEARNING_RATE] = {"learning_rate", "step of the optimiser", NULL, 0.003, 1e-6, 1},
    [DROPOUT] = {"dropout", "share of units left out while training", NULL, 0.2, 0, 0.9},
    [DECAY] = {"weight_decay", "pull of weights to zero", NULL, 0.01, 0, 10},
    [ENTROPY] = {"entropy", "reward for staying undecided", NULL, 0.05, 0, 10},
    [UPDATES] = {"updates", "most steps of training", NULL, 1500, 10, 100000},
    [PATIENCE] = {"patience", "steps without progress before stopping", NULL, 200, 10,
                  100000},
};

/* One block; vd_agent_learn changes policy and memory in place. */
struct agent {
    struct vd_detector base;
    struct vd__rewards rewards;
    struct vd__scaler scaler;
    float *numbers; /* of the policy */
    struct vd__policy policy;
    uint64_t feedback; /* given so far */
    size_t n_memory;
    float *memory; /* n_memory x d, scaled */
    uint8_t *memory_label;
};

static struct agent *agent_new(size_t d, size_t n_memory)
{
    size_t total = sizeof(struct agent);
    size_t scale = vd__layout(&total, 2 * d, sizeof(double));
    size_t numbers = vd__layout(&total, vd__policy_count(d), sizeof(float));
    size_t memory = vd__layout(&total, n_memory * d, sizeof(float));
    size_t label = vd__layout(&total, n_memory, 1);
    struct agent *a = (struct agent *)vd__detector_new(&vd__agent, d, total);
    char *block = (char *)a;

    assert(d <= COLUMNS_MAX && n_memory > 0 && n_memory <= MEMORY);
    if (a == NULL)
        return NULL;
    a->scaler.center = (double *)(block + scale);
    a->scaler.factor = a->scaler.center + d;
    a->numbers = (float *)(block + numbers);
    vd__policy_init(&a->policy, d, a->numbers);
    a->n_memory = n_memory;
    a->memory = (float *)(block + memory);
    a->memory_label = (uint8_t *)(block + label);
    return a;
}

/* Scales a row and cuts it to +-10, since the policy has learned nothing further out. */
static void scale_row(const struct agent *a, const double *row, float *x)
{
    for (size_t j = 0; j < a->base.d; j++) {
        double z = (row[j] - a->scaler.center[j]) * a->scaler.factor[j];

        x[j] = (float)(z > 10 ? 10 : z < -10 ? -10 : z);
    }
}

static double agent_score(const vd_detector *self, const double *row)
{
    const struct agent *a = (const struct agent *)self;
    float x[COLUMNS_MAX];

    scale_row(a, row, x);
    return vd__policy_log_odds(&a->policy, x);
}

/* ---- fit ---- */

/* Weights the classes so that both count the same in the sum of rewards. */
static void balance(struct vd__rewards *rewards, const uint8_t *labels, size_t n)
{
    double count[2] = {0};

    for (size_t i = 0; i < n; i++)
        count[labels[i]]++;
    for (size_t c = 0; c < 2; c++)
        rewards->weight[c] = (double)n / (2 * count[c]);
}

/* Remembers all training rows, or a random choice of them (drawn with replacement). */
static void fill_memory(struct agent *a, const float *x, const uint8_t *labels, size_t n,
                        uint64_t seed)
{
    struct vd_rng rng;
    size_t d = a->base.d;

    vd_rng_init_stream(&rng, seed, 1);
    for (size_t i = 0; i < a->n_memory; i++) {
        size_t row = a->n_memory < n ? (size_t)vd_rng_below(&rng, n) : i;

        memcpy(a->memory + i * d, x + row * d, d * sizeof *x);
        a->memory_label[i] = labels[row];
    }
}

/* Turns the settings into what training needs. */
static struct vd__policy_fit policy_fit(const struct agent *a, const struct vd__fit *fit,
                                        const float *x)
{
    return (struct vd__policy_fit){
        .x = x,
        .labels = fit->labels,
        .n = fit->x->n,
        .rewards = a->rewards,
        .learning_rate = fit->param[LEARNING_RATE],
        .dropout = fit->param[DROPOUT],
        .decay = fit->param[DECAY],
        .entropy = fit->param[ENTROPY],
        .updates = (size_t)fit->param[UPDATES],
        .patience = (size_t)fit->param[PATIENCE],
        .seed = fit->seed,
    };
}

static enum vd_status agent_fit(vd_detector **out, const struct vd__fit *fit,
                                struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d;
    struct agent *a;
    float *x;
    struct vd__policy_fit training;
    enum vd_status status = VD_ERR_MEMORY;

    if (d > COLUMNS_MAX)
        return vd_error_set(err, VD_ERR_LIMIT, "choose fewer columns",
                            "agent: a state of %zu numbers, at most %d are possible", d,
                            COLUMNS_MAX);
    a = agent_new(d, n < MEMORY ? n : MEMORY);
    x = vd__alloc(n * d, sizeof *x);
    if (a == NULL || x == NULL)
        goto out;
    status = vd__scaler_fit(&a->scaler, fit->x, VD__SCALE_STANDARD);
    if (status != VD_OK)
        goto out;
    for (size_t i = 0; i < n; i++)
        scale_row(a, vd_matrix_row(fit->x, i), x + i * d);
    a->rewards = (struct vd__rewards){fit->param[HIT],
                                      fit->param[MISS],
                                      fit->param[FALSE_ALARM],
                                      fit->param[SILENCE],
                                      {1, 1}};
    balance(&a->rewards, fit->labels, n);
    training = policy_fit(a, fit, x);
    status = vd__policy_train(&a->policy, &training);
    fill_memory(a, x, fit->labels, n, fit->seed);
    *out = &a->base;
out:
    vd__free(x);
    if (status == VD_OK)
        return VD_OK;
    if (a != NULL)
        vd_detector_free(&a->base);
    *out = NULL;
    return vd_error_set(err, status, "train on fewer rows", "agent: no memory");
}

/* ---- feedback ---- */

enum vd_status vd_agent_learn(vd_detector *agent, const double *row, bool anomaly)
{
    struct agent *a = (struct agent *)agent;
    const float *rows[FEEDBACK_ROWS];
    uint8_t labels[FEEDBACK_ROWS];
    struct vd_rng rng;
    size_t d, place;

    if (agent->class != &vd__agent)
        return VD_ERR_ARGUMENT;
    d = agent->d;
    for (size_t j = 0; j < d; j++)
        if (!isfinite(row[j]))
            return VD_ERR_DATA;
    place = (size_t)(a->feedback % a->n_memory);
    vd_rng_init_stream(&rng, 2, a->feedback++);
    scale_row(a, row, a->memory + place * d);
    a->memory_label[place] = anomaly;
    for (size_t step = 0; step < FEEDBACK_STEPS; step++) {
        for (size_t i = 0; i < FEEDBACK_ROWS; i++) {
            size_t k = i == 0 ? place : (size_t)vd_rng_below(&rng, a->n_memory);

            rows[i] = a->memory + k * d;
            labels[i] = a->memory_label[k];
        }
        vd__policy_step(&a->policy, rows, labels, FEEDBACK_ROWS, &a->rewards, 0.003);
    }
    return VD_OK;
}

vd_detector *vd_agent_copy(const vd_detector *agent)
{
    const struct agent *from = (const struct agent *)agent;
    struct agent *a;

    if (agent->class != &vd__agent)
        return NULL;
    a = agent_new(agent->d, from->n_memory);
    if (a == NULL)
        return NULL;
    a->base.threshold = agent->threshold;
    a->rewards = from->rewards;
    a->feedback = from->feedback;
    memcpy(a->scaler.center, from->scaler.center, 2 * agent->d * sizeof(double));
    memcpy(a->numbers, from->numbers, vd__policy_count(agent->d) * sizeof(float));
    memcpy(a->memory, from->memory, a->n_memory * agent->d * sizeof(float));
    memcpy(a->memory_label, from->memory_label, a->n_memory);
    return &a->base;
}

/* ---- save and load ---- */

static void agent_save(const vd_detector *self, struct vd_writer *w)
{
    const struct agent *a = (const struct agent *)self;

    vd_write_u64(w, a->n_memory);
    vd_write_u64(w, a->feedback);
    vd_write_f64s(w,
                  (double[]){a->rewards.hit, a->rewards.miss, a->rewards.false_alarm,
                             a->rewards.silence},
                  4);
    vd_write_f64s(w, a->rewards.weight, 2);
    vd__scaler_save(&a->scaler, w, self->d);
    for (size_t i = 0; i < vd__policy_count(self->d); i++)
        vd_write_f32(w, a->numbers[i]);
    for (size_t i = 0; i < a->n_memory * self->d; i++)
        vd_write_f32(w, a->memory[i]);
    vd_write_bytes(w, a->memory_label, a->n_memory);
}

/* Reads n floats; false when one is NaN or too large for a weight. */
static bool load_floats(struct vd_reader *r, float *values, size_t n)
{
    bool good = true;

    for (size_t i = 0; i < n; i++) {
        values[i] = vd_read_f32(r);
        good &= fabsf(values[i]) < 1e30F;
    }
    return good && !r->failed;
}

/* Reads what agent_save wrote after the counts; false = numbers that cannot be. */
static bool load_agent(struct agent *a, struct vd_reader *r)
{
    size_t d = a->base.d;
    double rewards[4] = {0};
    bool good = vd__load_numbers(r, rewards, 4) &&
                vd__load_numbers(r, a->rewards.weight, 2) &&
                vd__scaler_load(&a->scaler, r, d) &&
                load_floats(r, a->numbers, vd__policy_count(d)) &&
                load_floats(r, a->memory, a->n_memory * d);

    a->rewards.hit = rewards[0];
    a->rewards.miss = rewards[1];
    a->rewards.false_alarm = rewards[2];
    a->rewards.silence = rewards[3];
    vd_read_bytes(r, a->memory_label, a->n_memory);
    for (size_t i = 0; i < a->n_memory; i++)
        good &= a->memory_label[i] <= 1;
    return good && !r->failed;
}

static enum vd_status agent_load(vd_detector **out, size_t d, struct vd_reader *r,
                                 struct vd_error *err)
{
    size_t n_memory = vd_read_count(r, d * sizeof(float) + 1);
    uint64_t feedback = vd_read_u64(r);
    struct agent *a;

    if (r->failed || d > COLUMNS_MAX || n_memory == 0 || n_memory > MEMORY ||
        r->left / sizeof(float) < vd__policy_count(d))
        return vd__load_failed(r, vd__agent.info.name, err);
    a = agent_new(d, n_memory);
    if (a == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "agent: no memory");
    a->feedback = feedback;
    if (!load_agent(a, r)) {
        vd_detector_free(&a->base);
        return vd__load_failed(r, vd__agent.info.name, err);
    }
    *out = &a->base;
    return VD_OK;
}

const struct vd__detector_class vd__agent = {
    .info = {.name = "agent",
             .title = "Reward-learning agent",
             .source = "Williams, Machine Learning 1992",
             .needs_labels = true,
             .params = params,
             .n_params = N_PARAMS},
    .fit = agent_fit,
    .score = agent_score,
    .save = agent_save,
    .load = agent_load,
};
