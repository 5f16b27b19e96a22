/* The policy network in use: forward pass, reward, and plain gradient steps for feedback;
 * the training from labelled rows is in policy_train.c. Sums run input by input for all
 * outputs of a layer at once, so vectors of any width add in the same order. */
#include "detect/agent/policy.h"

#include <string.h>

#include "base/lanes.h"
#include "base/real.h"

size_t vd__policy_width(size_t d, size_t layer)
{
    static const size_t hidden[] = {64, 64, 32, 1};

    return layer == 0 ? d : hidden[layer - 1];
}

size_t vd__policy_count(size_t d)
{
    size_t count = 0;

    for (size_t l = 0; l <= POLICY_HIDDEN; l++)
        count += (vd__policy_width(d, l) + 1) * vd__policy_width(d, l + 1);
    return count;
}

void vd__policy_init(struct vd__policy *p, size_t d, float *numbers)
{
    p->d = d;
    for (size_t l = 0; l <= POLICY_HIDDEN; l++) {
        p->weight[l] = numbers;
        numbers += vd__policy_width(d, l) * vd__policy_width(d, l + 1);
        p->bias[l] = numbers;
        numbers += vd__policy_width(d, l + 1);
    }
}

/* Computes one layer: y = W' x + b. */
static inline void layer(const float *weight, const float *bias, const float *x,
                         size_t in, size_t out, float *y)
{
    for (size_t j = 0; j < out; j++)
        y[j] = bias[j];
    for (size_t i = 0; i < in; i++)
        for (size_t j = 0; j < out; j++)
            y[j] += x[i] * weight[i * out + j];
}

static inline void relu(float *y, size_t n)
{
    for (size_t j = 0; j < n; j++)
        y[j] = y[j] > 0 ? y[j] : 0;
}

/* Computes all layers, keeps their outputs y for the gradient, returns the log-odds. */
VD_LANES static double forward(const struct vd__policy *p, const float *x,
                               float y[POLICY_HIDDEN][POLICY_WIDTH])
{
    float out;

    layer(p->weight[0], p->bias[0], x, p->d, 64, y[0]);
    relu(y[0], 64);
    layer(p->weight[1], p->bias[1], y[0], 64, 64, y[1]);
    relu(y[1], 64);
    layer(p->weight[2], p->bias[2], y[1], 64, 32, y[2]);
    relu(y[2], 32);
    layer(p->weight[3], p->bias[3], y[2], 32, 1, &out);
    return (double)out;
}

double vd__policy_log_odds(const struct vd__policy *p, const float *x)
{
    float y[POLICY_HIDDEN][POLICY_WIDTH];

    return forward(p, x, y);
}

/* Returns the weighted reward of an action on a row with that label. */
static double worth(const struct vd__rewards *r, uint8_t label, bool alert)
{
    double reward = label   ? (alert ? r->hit : r->miss)
                    : alert ? r->false_alarm
                            : r->silence;

    return r->weight[label] * reward;
}

double vd__policy_slope(const struct vd__rewards *rewards, uint8_t label, double z,
                        double entropy)
{
    double alert = vd__sigmoid(z), spread = alert * (1 - alert);
    double gain = worth(rewards, label, true) - worth(rewards, label, false);

    return spread * (gain - entropy * z);
}

double vd__policy_expected_reward(const struct vd__rewards *rewards, uint8_t label,
                                  double z)
{
    double alert = vd__sigmoid(z);

    return alert * worth(rewards, label, true) +
           (1 - alert) * worth(rewards, label, false);
}

/* Adds step * (d log-odds / d weights) of one row x, layer by layer from the last one.
 * `error` is the derivative by the output of the layer at hand, times step. */
static void climb(struct vd__policy *p, const float *x,
                  float y[POLICY_HIDDEN][POLICY_WIDTH], float step)
{
    float error[POLICY_WIDTH] = {step}, below[POLICY_WIDTH];

    for (size_t l = POLICY_HIDDEN + 1; l-- > 0;) {
        size_t in = vd__policy_width(p->d, l), out = vd__policy_width(p->d, l + 1);
        const float *input = l == 0 ? x : y[l - 1];

        for (size_t i = 0; i < in; i++) {
            float *weight = p->weight[l] + i * out, sum = 0;

            for (size_t j = 0; j < out; j++) {
                sum += weight[j] * error[j];
                weight[j] += input[i] * error[j];
            }
            if (l > 0)
                below[i] = input[i] > 0 ? sum : 0;
        }
        for (size_t j = 0; j < out; j++)
            p->bias[l][j] += error[j];
        if (l > 0)
            memcpy(error, below, sizeof error);
    }
}

/* Climbs for one row after another (stochastic gradient). The slope is bounded, so one
 * strange row cannot spoil the weights. */
void vd__policy_step(struct vd__policy *p, const float *const *x, const uint8_t *labels,
                     size_t n, const struct vd__rewards *rewards, double rate)
{
    for (size_t i = 0; i < n; i++) {
        float y[POLICY_HIDDEN][POLICY_WIDTH];
        double z = forward(p, x[i], y);
        double gain = vd__policy_slope(rewards, labels[i], z, 0);

        /* Where the policy is sure and wrong the slope is nearly 0: learn as in doubt. */
        if ((labels[i] == 1) != (z > 0))
            gain = vd__policy_slope(rewards, labels[i], 0, 0);
        climb(p, x[i], y, (float)(rate * gain));
    }
}
