/* Trains the policy: gradient ascent on the expected reward by Adam (Kingma and Ba, ICLR
 * 2015), with batch normalisation (Ioffe and Szegedy, ICML 2015) before every ReLU,
 * dropout (Srivastava et al., JMLR 2014) after it, and early stopping on rows kept back.
 *
 * At the end the normalisation, with the mean and variance of the training rows, is
 * folded into the weights. Feedback does not come here: it is learned in policy.c.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lanes.h"
#include "base/real.h"
#include "detect/agent/policy.h"

enum { BATCH = 32, LAYERS = POLICY_HIDDEN + 1, CHECK_EVERY = 20, STATS_ROWS = 1024 };

/* One layer while training; its arrays point into the trainer's. */
struct layer {
    size_t in, out;
    size_t weight, scale,
        shift;    /* places among the parameters; shift = bias of the last */
    float *x;     /* BATCH x in */
    float *z;     /* BATCH x out: normalised */
    float *y;     /* BATCH x out: after ReLU and dropout */
    float *mask;  /* BATCH x out: dropout */
    float *error; /* BATCH x out: derivative by y, then by z */
    float deviation[POLICY_WIDTH]; /* of the batch */
};

/* The state of one training. */
struct trainer {
    const struct vd__policy_fit *fit;
    size_t d, count; /* parameters */
    float *param, *slope, *first, *second;
    struct layer layer[LAYERS];
    float *work;            /* all batches' arrays */
    size_t *order, n_train; /* rows: those trained on, then those kept back */
    struct vd_rng rng;
    size_t steps;
};

/* Gives every layer its places among the parameters. */
static void place_layers(struct trainer *t)
{
    size_t at = 0;

    for (size_t l = 0; l < LAYERS; l++) {
        struct layer *layer = &t->layer[l];

        layer->in = vd__policy_width(t->d, l);
        layer->out = vd__policy_width(t->d, l + 1);
        layer->weight = at;
        layer->scale = at + layer->in * layer->out;
        layer->shift = layer->scale + layer->out;
        at = layer->shift + layer->out;
    }
    t->count = at;
}

/* Allocates all arrays and deals them to the layers; false = no memory. */
static bool allocate(struct trainer *t)
{
    size_t floats = BATCH * t->d;
    float *at;

    for (size_t l = 0; l < LAYERS; l++)
        floats += 4 * BATCH * t->layer[l].out;
    t->param = vd__alloc_zero(4 * t->count, sizeof(float));
    t->work = vd__alloc_zero(floats, sizeof(float));
    t->order = vd__alloc(t->fit->n, sizeof *t->order);
    if (t->param == NULL || t->work == NULL || t->order == NULL)
        return false;
    t->slope = t->param + t->count;
    t->first = t->slope + t->count;
    t->second = t->first + t->count;
    at = t->work;
    t->layer[0].x = at;
    at += BATCH * t->d;
    for (size_t l = 0; l < LAYERS; l++) {
        struct layer *layer = &t->layer[l];

        layer->z = at;
        layer->y = layer->z + BATCH * layer->out;
        layer->mask = layer->y + BATCH * layer->out;
        layer->error = layer->mask + BATCH * layer->out;
        at = layer->error + BATCH * layer->out;
        if (l + 1 < LAYERS)
            t->layer[l + 1].x = layer->y;
    }
    assert(at == t->work + floats);
    return true;
}

/* Draws the first weights (He et al., ICCV 2015). The last layer starts near zero, so
 * that the policy begins undecided. */
static void draw_weights(struct trainer *t)
{
    for (size_t l = 0; l < LAYERS; l++) {
        struct layer *layer = &t->layer[l];
        double sigma = sqrt(2.0 / (double)layer->in) * (l + 1 < LAYERS ? 1 : 0.1);

        for (size_t i = 0; i < layer->in * layer->out; i++)
            t->param[layer->weight + i] = (float)(sigma * vd_rng_normal(&t->rng));
        for (size_t j = 0; j < layer->out; j++)
            t->param[layer->scale + j] = 1;
    }
}

/* Multiplies the rows of x (rows x in) by the weights (in x out) into y. */
static inline void multiply(const float *x, const float *weight, size_t rows, size_t in,
                            size_t out, float *y)
{
    memset(y, 0, rows * out * sizeof *y);
    for (size_t b = 0; b < rows; b++)
        for (size_t i = 0; i < in; i++) {
            float value = x[b * in + i];

            for (size_t j = 0; j < out; j++)
                y[b * out + j] += value * weight[i * out + j];
        }
}

/* Normalises the columns of z by their mean and deviation in the batch, and keeps the
 * deviations. */
static inline void normalise(struct layer *layer, size_t rows)
{
    size_t out = layer->out;
    float mean[POLICY_WIDTH] = {0}, square[POLICY_WIDTH] = {0};

    for (size_t b = 0; b < rows; b++)
        for (size_t j = 0; j < out; j++)
            mean[j] += layer->z[b * out + j] / (float)rows;
    for (size_t b = 0; b < rows; b++)
        for (size_t j = 0; j < out; j++) {
            float delta = layer->z[b * out + j] - mean[j];

            square[j] += delta * delta / (float)rows;
        }
    for (size_t j = 0; j < out; j++)
        layer->deviation[j] = sqrtf(square[j] + 1e-5F);
    for (size_t b = 0; b < rows; b++)
        for (size_t j = 0; j < out; j++)
            layer->z[b * out + j] =
                (layer->z[b * out + j] - mean[j]) / layer->deviation[j];
}

/* Draws the units that dropout leaves out of this batch. */
static void draw_masks(struct trainer *t, size_t rows)
{
    double keep = 1 - t->fit->dropout;

    for (size_t l = 0; l < POLICY_HIDDEN; l++)
        for (size_t i = 0; i < rows * t->layer[l].out; i++)
            t->layer[l].mask[i] =
                vd_rng_uniform(&t->rng) < keep ? (float)(1 / keep) : 0.0F;
}

/* Computes all layers for the batch in the first layer's x. */
VD_LANES static void forward(struct trainer *t, size_t rows)
{
    for (size_t l = 0; l < LAYERS; l++) {
        struct layer *layer = &t->layer[l];
        const float *scale = t->param + layer->scale, *shift = t->param + layer->shift;
        size_t out = layer->out;

        multiply(layer->x, t->param + layer->weight, rows, layer->in, out, layer->z);
        if (l == POLICY_HIDDEN) {
            for (size_t b = 0; b < rows; b++)
                layer->y[b] = layer->z[b] + shift[0];
            break;
        }
        normalise(layer, rows);
        for (size_t b = 0; b < rows; b++)
            for (size_t j = 0; j < out; j++) {
                float y = scale[j] * layer->z[b * out + j] + shift[j];

                layer->y[b * out + j] = y > 0 ? y * layer->mask[b * out + j] : 0;
            }
    }
}

/* Turns the derivative by y into that by the weighted sums before normalisation, and adds
 * up the slopes of scale and shift. */
static inline void back_through_norm(struct trainer *t, struct layer *layer, size_t rows)
{
    size_t out = layer->out;
    const float *scale = t->param + layer->scale;
    float *d_scale = t->slope + layer->scale, *d_shift = t->slope + layer->shift;

    for (size_t b = 0; b < rows; b++)
        for (size_t j = 0; j < out; j++) {
            size_t i = b * out + j;
            float e = layer->y[i] > 0 ? layer->error[i] * layer->mask[i] : 0;

            layer->error[i] = e;
            d_scale[j] += e * layer->z[i];
            d_shift[j] += e;
        }
    for (size_t b = 0; b < rows; b++)
        for (size_t j = 0; j < out; j++) {
            size_t i = b * out + j;

            layer->error[i] = scale[j] / layer->deviation[j] *
                              (layer->error[i] - d_shift[j] / (float)rows -
                               layer->z[i] * d_scale[j] / (float)rows);
        }
}

/* Computes the slopes of all parameters from the error at the last layer. */
VD_LANES static void backward(struct trainer *t, size_t rows)
{
    memset(t->slope, 0, t->count * sizeof *t->slope);
    for (size_t b = 0; b < rows; b++)
        t->slope[t->layer[POLICY_HIDDEN].shift] += t->layer[POLICY_HIDDEN].error[b];
    for (size_t l = LAYERS; l-- > 0;) {
        struct layer *layer = &t->layer[l];
        size_t in = layer->in, out = layer->out;
        float *slope = t->slope + layer->weight;
        const float *weight = t->param + layer->weight;

        if (l < POLICY_HIDDEN)
            back_through_norm(t, layer, rows);
        for (size_t b = 0; b < rows; b++)
            for (size_t i = 0; i < in; i++) {
                const float *error = layer->error + b * out;
                float x = layer->x[b * in + i], lane[8] = {0}, sum = 0;

                for (size_t j = 0; j < out; j++)
                    slope[i * out + j] += x * error[j];
                if (l == 0)
                    continue;
                for (size_t j = 0; j + 8 <= out; j += 8)
                    for (size_t k = 0; k < 8; k++)
                        lane[k] += weight[i * out + j + k] * error[j + k];
                for (size_t j = out / 8 * 8; j < out; j++)
                    lane[j % 8] += weight[i * out + j] * error[j];
                for (size_t k = 0; k < 8; k++)
                    sum += lane[k];
                t->layer[l - 1].error[b * in + i] = sum;
            }
    }
}

/* Takes a step of Adam upwards, with decoupled weight decay. correct1 and correct2 undo
 * the bias of the two means towards their start at 0. */
VD_LANES static void climb(struct trainer *t, float rate, float correct1, float correct2)
{
    float decay = 1 - rate * (float)t->fit->decay;

    for (size_t i = 0; i < t->count; i++) {
        float g = t->slope[i];

        t->first[i] = 0.9F * t->first[i] + 0.1F * g;
        t->second[i] = 0.999F * t->second[i] + 0.001F * g * g;
        t->param[i] = decay * t->param[i] + rate * (t->first[i] * correct1) /
                                                (sqrtf(t->second[i] * correct2) + 1e-8F);
    }
}

/* Learns from one batch of rows. */
static void update(struct trainer *t, const size_t *rows, size_t n)
{
    const struct vd__policy_fit *fit = t->fit;
    struct layer *last = &t->layer[POLICY_HIDDEN];
    double power = (double)++t->steps;

    assert(n > 0 && n <= BATCH);
    for (size_t b = 0; b < n; b++)
        memcpy(t->layer[0].x + b * t->d, fit->x + rows[b] * t->d, t->d * sizeof(float));
    draw_masks(t, n);
    forward(t, n);
    for (size_t b = 0; b < n; b++)
        last->error[b] = (float)(vd__policy_slope(&fit->rewards, fit->labels[rows[b]],
                                                  (double)last->y[b], fit->entropy) /
                                 (double)n);
    backward(t, n);
    climb(t, (float)fit->learning_rate, (float)(1 / (1 - vd__exp(power * vd__log(0.9)))),
          (float)(1 / (1 - vd__exp(power * vd__log(0.999)))));
}

/* ---- folding ---- */

/* Folds the normalisation of layer l into the policy's weights, with the mean and
 * deviation of its sums over the rows x (n x in). y (n x out) receives the rows after the
 * layer. */
VD_LANES static void fold_layer(const struct trainer *t, size_t l, float *x, float *y,
                                size_t n, struct vd__policy *p)
{
    const struct layer *layer = &t->layer[l];
    size_t in = layer->in, out = layer->out;
    const float *weight = t->param + layer->weight;

    multiply(x, weight, n, in, out, y);
    for (size_t j = 0; j < out; j++) {
        double mean = 0, square = 0;
        float scale, shift;

        for (size_t i = 0; i < n; i++)
            mean += (double)y[i * out + j] / (double)n;
        for (size_t i = 0; i < n; i++)
            square += ((double)y[i * out + j] - mean) * ((double)y[i * out + j] - mean) /
                      (double)n;
        scale = t->param[layer->scale + j] / (float)sqrt(square + 1e-5);
        shift = t->param[layer->shift + j] - (float)mean * scale;
        for (size_t i = 0; i < in; i++)
            p->weight[l][i * out + j] = weight[i * out + j] * scale;
        p->bias[l][j] = shift;
        for (size_t i = 0; i < n; i++) {
            float v = y[i * out + j] * scale + shift;

            y[i * out + j] = v > 0 ? v : 0;
        }
    }
}

/* Folds all layers; x and y are scratch for the rows. */
static void fold(const struct trainer *t, struct vd__policy *p, float *x, float *y)
{
    const struct layer *last = &t->layer[POLICY_HIDDEN];
    size_t n = t->n_train < STATS_ROWS ? t->n_train : STATS_ROWS;

    for (size_t i = 0; i < n; i++)
        memcpy(x + i * t->d, t->fit->x + t->order[i] * t->d, t->d * sizeof(float));
    for (size_t l = 0; l < POLICY_HIDDEN; l++) {
        float *swap = x;

        fold_layer(t, l, x, y, n, p);
        x = y;
        y = swap;
    }
    memcpy(p->weight[POLICY_HIDDEN], t->param + last->weight, last->in * sizeof(float));
    p->bias[POLICY_HIDDEN][0] = t->param[last->shift];
}

/* ---- the course of training ---- */

static void shuffle(struct vd_rng *rng, size_t *order, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)vd_rng_below(rng, i), swap = order[i - 1];

        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* Puts the rows that are trained on first; a fifth of each class is kept back at the end,
 * for stopping early. */
static void split_rows(struct trainer *t)
{
    size_t n = t->fit->n, front = 0, back = n, seen[2] = {0};
    size_t *shuffled = t->order;

    for (size_t i = 0; i < n; i++)
        shuffled[i] = i;
    shuffle(&t->rng, shuffled, n);
    while (front < back) {
        size_t row = shuffled[front];

        if (seen[t->fit->labels[row]]++ % 5 == 4) {
            shuffled[front] = shuffled[--back];
            shuffled[back] = row;
        } else {
            front++;
        }
    }
    t->n_train = front;
}

/* Computes the mean expected reward of the rows kept back (of all rows, if none were). */
static double validate(const struct trainer *t, const struct vd__policy *p)
{
    size_t from = t->n_train < t->fit->n ? t->n_train : 0;
    double sum = 0;

    for (size_t i = from; i < t->fit->n; i++) {
        size_t row = t->order[i];

        sum += vd__policy_expected_reward(&t->fit->rewards, t->fit->labels[row],
                                          vd__policy_log_odds(p, t->fit->x + row * t->d));
    }
    return sum / (double)(t->fit->n - from);
}

/* Draws fresh weights and clears the optimiser's memory. */
static void begin(struct trainer *t)
{
    memset(t->param, 0, 4 * t->count * sizeof *t->param);
    t->steps = 0;
    draw_weights(t);
}

/* Learns from the next batch; shuffles when the rows are used up. */
static void one_update(struct trainer *t, size_t *at)
{
    size_t batch = t->n_train < BATCH ? t->n_train : BATCH;

    if (*at + batch > t->n_train) {
        shuffle(&t->rng, t->order, t->n_train);
        *at = 0;
    }
    update(t, t->order + *at, batch);
    *at += batch;
}

/* Finds how many updates do best on the rows kept back. */
static size_t find_length(struct trainer *t, struct vd__policy *p, float *x, float *y)
{
    size_t at = 0, best_length = CHECK_EVERY;
    double best = -INFINITY;

    begin(t);
    for (size_t i = 1; i <= t->fit->updates && i <= best_length + t->fit->patience; i++) {
        double reward;

        one_update(t, &at);
        if (i % CHECK_EVERY != 0)
            continue;
        fold(t, p, x, y);
        reward = validate(t, p);
        if (reward > best) {
            best = reward;
            best_length = i;
        }
    }
    return best_length;
}

/* Finds the length on rows kept back, then trains anew for as many passes on all rows:
 * where labels are few, none can be spared. */
static void run(struct trainer *t, struct vd__policy *p, float *x, float *y)
{
    size_t length = find_length(t, p, x, y), at = 0;

    length = length * t->fit->n / t->n_train;
    t->n_train = t->fit->n;
    begin(t);
    for (size_t i = 0; i < length; i++)
        one_update(t, &at);
    fold(t, p, x, y);
}

enum vd_status vd__policy_train(struct vd__policy *p, const struct vd__policy_fit *fit)
{
    struct trainer t = {.fit = fit, .d = p->d};
    size_t rows = fit->n < STATS_ROWS ? fit->n : STATS_ROWS;
    size_t width = p->d > POLICY_WIDTH ? p->d : POLICY_WIDTH;
    float *x = vd__alloc(rows * width, sizeof *x),
          *y = vd__alloc(rows * width, sizeof *y);
    enum vd_status status = VD_ERR_MEMORY;

    place_layers(&t);
    if (x != NULL && y != NULL && allocate(&t)) {
        vd_rng_init(&t.rng, fit->seed);
        split_rows(&t);
        run(&t, p, x, y);
        status = VD_OK;
    }
    vd__free(x);
    vd__free(y);
    vd__free(t.param);
    vd__free(t.work);
    vd__free(t.order);
    return status;
}
